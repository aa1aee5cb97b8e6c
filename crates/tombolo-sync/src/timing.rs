//! The times that both machines keep, in milliseconds, and the keepalive.

use tombolo_core::Millis;

/// Silence after which a side asks whether the other is there.
pub(crate) const PING_AFTER_MS: Millis = 20_000;
/// Silence after which the other side is taken for dead.
pub(crate) const DEAD_AFTER_MS: Millis = 45_000;

/// Finds out whether the other side is still there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keepalive {
    heard: Millis,
    pinged: Millis,
    dead: Millis,
}

/// What silence asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    Short,
    Ping,
    Dead,
}

impl Keepalive {
    pub(crate) fn new(now: Millis) -> Self {
        Self { heard: now, pinged: now, dead: now + DEAD_AFTER_MS }
    }

    /// Something came, or nothing could come because nobody read.
    pub(crate) fn heard(&mut self, now: Millis) {
        self.heard = now;
        self.dead = now + DEAD_AFTER_MS;
    }

    /// There is reason to doubt: a ping goes out now and has less time to be answered.
    pub(crate) fn doubt(&mut self, now: Millis, patience_ms: Millis) {
        self.pinged = now;
        self.dead = self.dead.min(now + patience_ms);
    }

    pub(crate) fn deadline(&self) -> Millis {
        self.dead.min(self.heard.max(self.pinged) + PING_AFTER_MS)
    }

    pub(crate) fn check(&mut self, now: Millis) -> Silence {
        if now >= self.dead {
            return Silence::Dead;
        }
        if now >= self.heard.max(self.pinged) + PING_AFTER_MS {
            self.pinged = now;
            return Silence::Ping;
        }
        Silence::Short
    }
}

/// A close frame holds no longer reason than 123 bytes.
pub(crate) fn close_reason(reason: &str) -> String {
    let end = reason.floor_char_boundary(123);
    reason[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_answered_by_two_pings_and_then_the_end() {
        let mut keepalive = Keepalive::new(0);
        let mut seen = Vec::new();
        while seen.last().is_none_or(|(_, silence)| *silence != Silence::Dead) {
            let now = keepalive.deadline();
            seen.push((now, keepalive.check(now)));
        }
        assert_eq!(seen, [(20_000, Silence::Ping), (40_000, Silence::Ping), (45_000, Silence::Dead)]);
    }

    #[test]
    fn a_close_reason_is_cut_between_characters() {
        assert_eq!(close_reason("short"), "short");
        assert_eq!(close_reason(&"é".repeat(100)).len(), 122);
    }

    #[test]
    fn doubt_shortens_patience_until_something_comes() {
        let mut keepalive = Keepalive::new(0);
        keepalive.doubt(1_000, 5_000);
        assert_eq!(keepalive.check(5_999), Silence::Short);
        assert_eq!(keepalive.check(6_000), Silence::Dead);
        keepalive.heard(6_000);
        assert_eq!(keepalive.check(6_001), Silence::Short);
        assert_eq!(keepalive.deadline(), 26_000);
    }
}
