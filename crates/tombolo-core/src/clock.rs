use crate::{Code, Error, Result};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// The source of wall-clock time. Everything that needs the time is handed one of these.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Millis;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        jiff::Timestamp::now().as_millisecond()
    }
}

/// Formats a time as RFC 3339 in UTC with milliseconds: `2026-11-24T09:30:00.000Z`.
///
/// A time outside the years -9999 to 9999 is clamped to that range.
#[must_use]
pub fn format_time(time: Millis) -> String {
    let time = jiff::Timestamp::from_millisecond(time).unwrap_or(if time < 0 {
        jiff::Timestamp::MIN
    } else {
        jiff::Timestamp::MAX
    });
    format!("{time:.3}")
}

/// Parses an RFC 3339 time with an offset.
///
/// # Errors
/// `INVALID_DATA` if the text is no such time.
pub fn parse_time(text: &str) -> Result<Millis> {
    text.parse::<jiff::Timestamp>().map(|time| time.as_millisecond()).map_err(|_| {
        Error::new(Code::InvalidData, format!("{text:?} is not a time in the form 2026-11-24T09:30:00Z"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_a_round_trip() {
        for time in [0, 1, -1, 1_795_512_600_123] {
            assert_eq!(parse_time(&format_time(time)).unwrap(), time);
        }
        assert_eq!(format_time(1_795_512_600_123), "2026-11-24T09:30:00.123Z");
        assert_eq!(parse_time("2026-11-24T10:30:00.123+01:00").unwrap(), 1_795_512_600_123);
        assert_eq!(parse_time("yesterday").unwrap_err().code, Code::InvalidData);
        assert!(format_time(i64::MAX).starts_with("9999-"));
    }
}
