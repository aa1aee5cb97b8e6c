/** Lengths in a row, with sums over their beginning and changes of one length in logarithmic time. */
export class Sums {
  #tree = new Int32Array(1);
  #size = 0;

  /** Takes all lengths anew. */
  reset(lengths: Int32Array): void {
    this.#size = lengths.length;
    const tree = new Int32Array(this.#size + 1);
    for (let i = 1; i <= this.#size; i++) {
      tree[i] = (tree[i] ?? 0) + (lengths[i - 1] ?? 0);
      const parent = i + (i & -i);
      if (parent <= this.#size) tree[parent] = (tree[parent] ?? 0) + (tree[i] ?? 0);
    }
    this.#tree = tree;
  }

  /** Changes the length at an index. */
  add(index: number, by: number): void {
    for (let i = index + 1; i <= this.#size; i += i & -i) this.#tree[i] = (this.#tree[i] ?? 0) + by;
  }

  /** The sum of the first `count` lengths. */
  before(count: number): number {
    let sum = 0;
    for (let i = count; i > 0; i -= i & -i) sum += this.#tree[i] ?? 0;
    return sum;
  }

  /** The index whose stretch holds this place: the largest number of lengths whose sum is not beyond it. */
  find(place: number): number {
    let index = 0;
    let left = place;
    for (let step = 2 ** Math.floor(Math.log2(Math.max(1, this.#size))); step >= 1; step /= 2) {
      const length = this.#tree[index + step];
      if (index + step <= this.#size && length !== undefined && length <= left) {
        index += step;
        left -= length;
      }
    }
    return index;
  }
}
