//! Keys that order siblings: between any two there is another one.
//!
//! A key is a fraction in base 62, its digits in the order of ASCII and the last one never `0`. Two devices that
//! insert at one place at once get different keys, because each key ends in random digits.

use tombolo_core::Random;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE: usize = DIGITS.len();
/// Digits that keep two devices' keys apart.
const RANDOM_DIGITS: usize = 3;

/// A key between two others; none means the beginning or the end.
///
/// Foreign keys may be equal or out of order; then the key lies after `after`, as close as can be told.
pub(crate) fn between(after: Option<&str>, before: Option<&str>, random: &mut dyn Random) -> String {
    let low = digits(after.unwrap_or(""));
    let high = before.map(digits).filter(|high| *high > low);
    let mut key = middle(&low, high.as_deref());
    for _ in 0..RANDOM_DIGITS {
        key.push(usize::try_from(random.u64() % BASE as u64).unwrap_or(0));
    }
    if key.last() == Some(&0) {
        key.push(BASE / 2);
    }
    key.iter().map(|digit| char::from(DIGITS[*digit])).collect()
}

fn digits(key: &str) -> Vec<usize> {
    let digit = |byte: u8| DIGITS.iter().position(|digit| *digit == byte).unwrap_or(BASE - 1);
    key.bytes().map(digit).collect()
}

/// The shortest fraction strictly between two, such that any digits may follow it.
fn middle(low: &[usize], high: Option<&[usize]>) -> Vec<usize> {
    let mut key = Vec::new();
    let mut high = high;
    for n in 0.. {
        let floor = low.get(n).copied().unwrap_or(0);
        let ceiling = high.map_or(BASE, |high| high.get(n).copied().unwrap_or(0));
        if ceiling > floor + 1 {
            // At the end, step a little instead of halving: lists grow at their end.
            let step = if high.is_none() && n > 0 { 1 } else { (ceiling - floor) / 2 };
            key.push(floor + step);
            return key;
        }
        key.push(floor);
        if ceiling > floor {
            high = None;
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use tombolo_core::SeededRandom;

    #[test]
    fn there_is_always_a_key_between() {
        let mut random = SeededRandom::new(3);
        let mut keys = vec![between(None, None, &mut random)];
        for _ in 0..2_000 {
            let at = usize::try_from(random.u64() % (keys.len() as u64 + 1)).unwrap();
            let (low, high) = (at.checked_sub(1).map(|n| keys[n].as_str()), keys.get(at).map(String::as_str));
            let key = between(low, high, &mut random);
            assert!(low.is_none_or(|low| low < key.as_str()), "{low:?} < {key}");
            assert!(high.is_none_or(|high| key.as_str() < high), "{key} < {high:?}");
            keys.insert(at, key);
        }
    }

    #[test]
    fn appending_keeps_keys_short() {
        let mut random = SeededRandom::new(4);
        let mut last = between(None, None, &mut random);
        for _ in 0..1_000 {
            let next = between(Some(&last), None, &mut random);
            assert!(last < next);
            last = next;
        }
        assert!(last.len() < 80, "{last}");
    }

    #[test]
    fn equal_and_foreign_keys_do_no_harm() {
        let mut random = SeededRandom::new(5);
        assert!(between(Some("V"), Some("V"), &mut random).as_str() > "V");
        assert!(between(Some("é~"), Some("a"), &mut random).len() > 1);
    }
}
