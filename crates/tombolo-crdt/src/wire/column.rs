use super::out_of_range;
use super::reader::Reader;
use crate::Result;
use std::ops::Range;

/// Reads a column of runs: a count and one value, or a negative count and as many values. Gives the number of values.
pub(super) fn runs<'b, T>(
    bytes: &'b [u8],
    max: usize,
    read: impl Fn(&mut Reader<'b>) -> Result<T>,
    mut each: impl FnMut(usize, T) -> Result<()>,
) -> Result<usize> {
    let mut reader = Reader::new(bytes);
    let mut all = 0_usize;
    while !reader.is_empty() {
        let (count, literal) = reader.run()?;
        all = all.checked_add(count).filter(|all| *all <= max).ok_or_else(|| out_of_range("a run"))?;
        match literal {
            true => (0..count).try_for_each(|_| each(1, read(&mut reader)?))?,
            false => each(count, read(&mut reader)?)?,
        }
    }
    Ok(all)
}

/// Reads a column of runs of differences, whose values must lie within a range. Gives the number of values.
pub(super) fn delta_runs(
    bytes: &[u8],
    max: usize,
    within: Range<i128>,
    mut each: impl FnMut(i128),
) -> Result<usize> {
    let mut value = 0_i128;
    runs(bytes, max, Reader::signed, |count, step| {
        let reach = i128::try_from(count).ok().and_then(|count| step.checked_mul(count)?.checked_add(value));
        let first = value.checked_add(step);
        let (first, last) = first.zip(reach).ok_or_else(|| out_of_range("a value"))?;
        // Those between lie between.
        if !within.contains(&first) || !within.contains(&last) {
            return Err(out_of_range("a value"));
        }
        for _ in 0..count {
            value += step;
            each(value);
        }
        Ok(())
    })
}
