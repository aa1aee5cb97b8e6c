//! What was named lately, so that it need not be named again.

/// How many values a side remembers. A reference to any of them is one byte.
const VALUES: usize = 64;

/// Values in the order of their last use, the latest first.
///
/// Two sides that go through the same uses agree on every place. A side that begins later knows a prefix of what the
/// other knows: exactly the values that were used since it began. That is why each value carries the number of its
/// last use.
#[derive(Debug, Clone)]
pub(crate) struct Recent<T> {
    values: Vec<(T, u64)>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self { values: Vec::new() }
    }
}

impl<T: PartialEq> Recent<T> {
    /// The place of a value and the number of its last use.
    pub(crate) fn find(&self, is: impl Fn(&T) -> bool) -> Option<(usize, u64)> {
        let place = self.values.iter().position(|(value, _)| is(value))?;
        Some((place, self.values[place].1))
    }

    pub(crate) fn get(&self, place: usize) -> Option<&T> {
        self.values.get(place).map(|(value, _)| value)
    }

    /// Makes the value at a place the latest, used at `now`.
    pub(crate) fn touch(&mut self, place: usize, now: u64) {
        if let Some(values) = self.values.get_mut(..=place) {
            values.rotate_right(1);
            values[0].1 = now;
        }
    }

    /// The same for a value that may be new.
    pub(crate) fn add(&mut self, value: T, now: u64) {
        match self.find(|known| *known == value) {
            Some((place, _)) => self.touch(place, now),
            None => {
                self.values.truncate(VALUES - 1);
                self.values.insert(0, (value, now));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_beginner_knows_a_prefix() {
        let (mut all, mut late) = (Recent::default(), Recent::default());
        for now in 0..1000_u64 {
            let value = (now.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) % 97;
            all.add(value, now);
            if now >= 900 {
                late.add(value, now);
            }
        }
        for (place, (value, last)) in all.values.iter().enumerate() {
            assert_eq!(late.get(place) == Some(value), *last >= 900);
        }
        assert_eq!(all.values.len(), VALUES);
    }
}
