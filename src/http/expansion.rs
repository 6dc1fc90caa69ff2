//! A coded body as it was before (RFC 9110 §8.4.1), piece by piece.
//!
//! A few hundred bytes may expand to gigabytes: no more of them is made than whoever reads asks for, so that the limits of a
//! body hold before the memory is spent.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use bytes::Buf as _;
use futures_util::stream::{Stream, StreamExt as _};

/// The most that is expanded at once.
const PIECE_BYTES: usize = 64 * 1_024;

/// The widest window of zstd, as a power of two, that a content coding may need (RFC 9659 §3): 8 MiB.
const ZSTD_WINDOW: u32 = 23;

/// The codings that are expanded.
#[derive(Clone, Copy, Debug)]
pub(super) enum Coding {
    Gzip,
    Brotli,
    Zstd,
}

impl Coding {
    fn decoder(self, arrived: Arrived) -> io::Result<Box<dyn Read>> {
        Ok(match self {
            Self::Gzip => Box::new(flate2::read::MultiGzDecoder::new(arrived)),
            Self::Brotli => Box::new(brotli_decompressor::Decompressor::new(arrived, 0)),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::new(arrived)?;
                decoder.window_log_max(ZSTD_WINDOW)?;
                Box::new(decoder)
            }
        })
    }
}

/// What has arrived of a coded body and is not expanded yet.
#[derive(Clone, Debug, Default)]
struct Arrived(Rc<RefCell<Arrival>>);

#[derive(Debug, Default)]
struct Arrival {
    bytes: Bytes,
    is_last: bool,
}

impl Read for Arrived {
    /// Nothing more for now is an error that is asked again after (`WouldBlock`), nothing more at all the end.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut arrival = self.0.borrow_mut();
        if arrival.bytes.is_empty() && !arrival.is_last {
            return Err(ErrorKind::WouldBlock.into());
        }
        (&mut arrival.bytes).reader().read(into)
    }
}

/// A body that is expanded as it is read.
pub(super) struct Expanded<'p, S> {
    body: &'p mut S,
    arrived: Arrived,
    decoder: Box<dyn Read>,
    piece: Box<[u8]>,
}

impl<'p, S> Expanded<'p, S> {
    /// # Errors
    /// Where there is no memory for what expands it.
    pub(super) fn new(body: &'p mut S, coding: Coding) -> io::Result<Self> {
        let arrived = Arrived::default();
        let decoder = coding.decoder(arrived.clone())?;
        Ok(Self { body, arrived, decoder, piece: vec![0; PIECE_BYTES].into() })
    }

    /// The next piece; none where more has to arrive for it, or nothing is to come.
    fn expand(&mut self) -> io::Result<Option<Bytes>> {
        match self.decoder.read(&mut self.piece) {
            Ok(0) if self.arrived.0.borrow().bytes.is_empty() => Ok(None),
            Ok(0) => Err(io::Error::new(ErrorKind::InvalidData, "the body goes on where what is coded ends")),
            Ok(length) => Ok(self.piece.get(..length).map(Bytes::copy_from_slice)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl<S: Stream<Item = Result<Bytes, PayloadError>> + Unpin> Stream for Expanded<'_, S> {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(piece) = this.expand().transpose() {
                return Poll::Ready(Some(piece.map_err(PayloadError::Io)));
            }
            if this.arrived.0.borrow().is_last {
                return Poll::Ready(None);
            }
            let next = ready!(this.body.poll_next_unpin(context)).transpose()?;
            let is_last = next.is_none();
            *this.arrived.0.borrow_mut() = Arrival { bytes: next.unwrap_or_default(), is_last };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use futures_util::stream;
    use proptest::prelude::*;

    use super::*;

    const CODINGS: [Coding; 3] = [Coding::Gzip, Coding::Brotli, Coding::Zstd];

    fn coded(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        match coding {
            Coding::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Coding::Brotli => {
                let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4_096, 5, 22);
                encoder.write_all(bytes).unwrap();
                encoder.into_inner()
            }
            Coding::Zstd => zstd::stream::encode_all(bytes, 3).unwrap(),
        }
    }

    /// What comes of a body that arrives in pieces of `size`.
    fn expanded(coding: Coding, body: &[u8], size: usize) -> Result<Vec<u8>, PayloadError> {
        let mut body = stream::iter(body.chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))));
        let mut whole = Vec::new();
        for piece in pieces_of(Expanded::new(&mut body, coding).unwrap()) {
            whole.extend_from_slice(&piece?);
        }
        Ok(whole)
    }

    /// The pieces of a stream that never waits.
    fn pieces_of<S: Stream + Unpin>(mut pieces: S) -> impl Iterator<Item = S::Item> {
        use futures_util::FutureExt as _;
        std::iter::from_fn(move || pieces.next().now_or_never().unwrap())
    }

    proptest! {
        #[test]
        fn a_coded_body_comes_back_however_it_arrives(
            bytes in prop::collection::vec(0_u8..8, 0..5_000),
            size in 1_usize..300,
        ) {
            for coding in CODINGS {
                prop_assert_eq!(&expanded(coding, &coded(coding, &bytes), size).unwrap(), &bytes);
            }
        }

        #[test]
        fn a_coded_body_that_breaks_off_or_goes_on_is_refused(
            bytes in prop::collection::vec(0_u8..8, 1..2_000),
            size in 1_usize..300,
            cut in any::<prop::sample::Index>(),
        ) {
            for coding in CODINGS {
                let mut body = coded(coding, &bytes);
                let half = &body[..cut.index(body.len())];
                prop_assert!(expanded(coding, half, size).is_err(), "{:?} {:?}", coding, half);
                body.extend_from_slice(b"more");
                prop_assert!(expanded(coding, &body, size).is_err(), "{:?}", coding);
            }
        }

        #[test]
        fn what_is_not_coded_does_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..500), size in 1_usize..100) {
            for coding in CODINGS {
                let _ = expanded(coding, &bytes, size);
            }
        }
    }

    #[test]
    fn a_few_bytes_that_expand_to_many_are_expanded_no_further_than_is_read() {
        for coding in CODINGS {
            let body = coded(coding, &vec![b' '; 50_000_000]);
            assert!(body.len() < 60_000);
            let mut body = stream::iter([Ok(Bytes::from(body))]);
            let pieces: Vec<Bytes> = pieces_of(Expanded::new(&mut body, coding).unwrap()).take(3).map(Result::unwrap).collect();
            assert!(pieces.iter().all(|piece| piece.len() <= PIECE_BYTES), "{coding:?}");
        }
    }

    #[test]
    fn a_window_wider_than_a_content_coding_may_need_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(&[0; 100_000]).unwrap();
        assert!(expanded(Coding::Zstd, &encoder.finish().unwrap(), 4_096).is_err());
    }
}
