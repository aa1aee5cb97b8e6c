/// The source of random bytes. Everything that mints an id or jitters a delay is handed one of these.
pub trait Random: Send {
    /// Fills the buffer with random bytes.
    fn fill(&mut self, buffer: &mut [u8]);

    /// A random number.
    fn u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// 16 random bytes.
    fn bytes16(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        bytes
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    /// # Panics
    /// If the operating system has no random bytes to give: no id would be safe to mint.
    fn fill(&mut self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the operating system provides random bytes");
    }
}

/// A reproducible generator for tests and simulations: BLAKE3 in counter mode over a seed.
#[derive(Debug, Clone)]
pub struct SeededRandom {
    stream: blake3::OutputReader,
}

impl SeededRandom {
    /// The generator of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { stream: blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof() }
    }
}

impl Random for SeededRandom {
    fn fill(&mut self, buffer: &mut [u8]) {
        self.stream.fill(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_stream() {
        let (mut a, mut b) = (SeededRandom::new(7), SeededRandom::new(7));
        assert_eq!((a.u64(), a.bytes16()), (b.u64(), b.bytes16()));
        assert_ne!(SeededRandom::new(8).u64(), SeededRandom::new(7).u64());
    }
}
