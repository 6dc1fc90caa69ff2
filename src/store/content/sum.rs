//! The checksums of a content: one of the whole, by which it is named, and one of each of its chunks, by which a part of it can be
//! verified before it is served.

use openssl::sha::{Sha256, sha256};

use super::text::Digest;

/// How many bytes are verified at once. Divisible by 3, so that the base64 of a chunk is the chunk of the base64.
pub(super) const CHUNK_BYTES: usize = 768 * 1024;
/// How many bytes the checksum of a chunk has.
const SUM_LEN: usize = 32;

/// What is known of a content without looking at it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Sum {
    pub(in crate::store) digest: Digest,
    pub(in crate::store) size: u64,
    /// The checksums of its chunks, one after the other; none of a content that is one chunk, whose digest says enough.
    pub(in crate::store) chunks: Vec<u8>,
}

impl Sum {
    /// Of bytes that are all there.
    pub(in crate::store) fn of(bytes: &[u8]) -> Self {
        let mut summing = Summing::default();
        summing.add(bytes);
        summing.finish()
    }
}

/// Sums under way.
#[derive(Default)]
pub(super) struct Summing {
    whole: Sha256,
    chunk: Sha256,
    in_chunk: usize,
    size: u64,
    chunks: Vec<u8>,
}

impl Summing {
    /// Goes on with `bytes`.
    pub(super) fn add(&mut self, mut bytes: &[u8]) {
        self.whole.update(bytes);
        self.size += bytes.len() as u64;
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK_BYTES - self.in_chunk));
            self.chunk.update(now);
            self.in_chunk += now.len();
            bytes = later;
            if self.in_chunk == CHUNK_BYTES {
                self.end_chunk();
            }
        }
    }

    /// How many bytes were summed.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    fn end_chunk(&mut self) {
        self.chunks.extend(std::mem::take(&mut self.chunk).finish());
        self.in_chunk = 0;
    }

    /// The sums.
    pub(super) fn finish(mut self) -> Sum {
        if self.in_chunk > 0 {
            self.end_chunk();
        }
        if self.size <= CHUNK_BYTES as u64 {
            self.chunks.clear();
        }
        Sum { digest: Digest(self.whole.finish()), size: self.size, chunks: self.chunks }
    }
}

/// Whether `bytes` are the chunk numbered `index` of a content with this digest and these checksums.
pub(super) fn holds(bytes: &[u8], index: u64, digest: Digest, chunks: &[u8]) -> bool {
    let own = sha256(bytes);
    if chunks.is_empty() {
        return own == digest.0;
    }
    let start = usize::try_from(index).ok().and_then(|index| index.checked_mul(SUM_LEN));
    start.and_then(|start| chunks.get(start..start + SUM_LEN)) == Some(&own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at / 3 + at % 251) as u8).collect()
    }

    #[test]
    fn the_sums_do_not_depend_on_how_the_bytes_come() {
        let bytes = bytes(2 * CHUNK_BYTES + 5);
        let mut summing = Summing::default();
        bytes.chunks(70_001).for_each(|piece| summing.add(piece));
        let sum = summing.finish();
        assert_eq!(sum, Sum::of(&bytes));
        assert_eq!((sum.digest.0, sum.size, sum.chunks.len()), (sha256(&bytes), bytes.len() as u64, 3 * SUM_LEN));
    }

    #[test]
    fn a_chunk_is_held_against_its_own_checksum() {
        let bytes = bytes(CHUNK_BYTES + 5);
        let sum = Sum::of(&bytes);
        let (first, second) = bytes.split_at(CHUNK_BYTES);
        assert!(holds(first, 0, sum.digest, &sum.chunks) && holds(second, 1, sum.digest, &sum.chunks));
        assert!(!holds(first, 1, sum.digest, &sum.chunks) && !holds(second, 2, sum.digest, &sum.chunks));
        let small = Sum::of(second);
        assert!(small.chunks.is_empty() && holds(second, 0, small.digest, &[]) && !holds(first, 0, small.digest, &[]));
    }
}
