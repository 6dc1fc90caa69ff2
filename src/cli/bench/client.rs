//! The smallest HTTP/1.1 client that can measure: one connection kept alive, one request at a time, nothing parsed but the
//! status and the length. It shares its machine with what it measures, so it must cost little.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const READ_BYTES: usize = 16 * 1024;
/// A longer head is no answer of ours.
const MAX_HEAD_BYTES: usize = 64 * 1024;
const END_OF_HEAD: &[u8] = b"\r\n\r\n";
const CONTENT_LENGTH: &[u8] = b"content-length:";
/// `HTTP/1.1 200`
const STATUS: std::ops::Range<usize> = 9..12;

/// One connection.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, borrowed from the connection it came over.
pub(super) struct Answer<'c> {
    pub(super) status: u16,
    pub(super) head: &'c [u8],
    pub(super) body: &'c [u8],
}

impl Connection {
    pub(super) async fn open(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(READ_BYTES) })
    }

    /// Sends `request`, bytes as they are, and reads the whole answer.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let body = self.head().await?;
        let head = self.buffer.get(..body).unwrap_or_default();
        let status = status(head)?;
        let end = body + content_length(head)?;
        while self.buffer.len() < end {
            self.more(end - self.buffer.len()).await?;
        }
        let (head, rest) = self.buffer.split_at_checked(body).unwrap_or_default();
        Ok(Answer { status, head, body: rest })
    }

    /// Reads until the head is whole; where it ends.
    async fn head(&mut self) -> Result<usize> {
        let mut searched = 0;
        loop {
            self.more(READ_BYTES).await?;
            let from = self.buffer.get(searched..).unwrap_or_default();
            if let Some(found) = memchr::memmem::find(from, END_OF_HEAD) {
                return Ok(searched + found + END_OF_HEAD.len());
            }
            if self.buffer.len() > MAX_HEAD_BYTES {
                return Err(broken("the head of the answer does not end"));
            }
            searched = self.buffer.len().saturating_sub(END_OF_HEAD.len());
        }
    }

    async fn more(&mut self, bytes: usize) -> Result<()> {
        self.buffer.reserve(bytes);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(broken("the server closed the connection")),
            _ => Ok(()),
        }
    }
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

fn status(head: &[u8]) -> Result<u16> {
    let digits = head.get(STATUS).and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| broken("the answer has no status"))
}

/// The length of the body; none announced: there is none.
fn content_length(head: &[u8]) -> Result<usize> {
    match field(head, CONTENT_LENGTH) {
        Some(value) => value.parse().map_err(|_| broken("the length of the answer is no number")),
        None if field(head, b"transfer-encoding:").is_some() => Err(broken("an answer in chunks cannot be measured")),
        None => Ok(0),
    }
}

/// The value of the header field `name`, which is in lower case and ends in a colon.
pub(super) fn field<'h>(head: &'h [u8], name: &[u8]) -> Option<&'h str> {
    let mut lines = head.split(|byte| *byte == b'\n');
    let value = lines.find_map(|line| {
        let (found, value) = line.split_at_checked(name.len())?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })?;
    std::str::from_utf8(value).ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Answers each request with the next of `answers`, each given in the pieces in which it is sent.
    async fn server(answers: Vec<Vec<&'static str>>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for answer in answers {
                let mut request = [0; 1024];
                assert!(stream.read(&mut request).await.unwrap() > 0);
                for piece in answer {
                    stream.write_all(piece.as_bytes()).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        });
        address
    }

    #[tokio::test]
    async fn answers_come_whole_however_they_are_cut() {
        let address = server(vec![
            vec!["HTTP/1.1 200 OK\r\nContent-Le", "ngth: 5\r\n\r", "\nhe", "llo"],
            vec!["HTTP/1.1 204 No Content\r\netag: W/\"1\"\r\n\r\n"],
        ])
        .await;
        let mut connection = Connection::open(address).await.unwrap();
        let answer = connection.exchange(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!((answer.status, answer.body), (200, b"hello".as_slice()));
        let answer = connection.exchange(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!((answer.status, answer.body.len(), field(answer.head, b"etag:")), (204, 0, Some("W/\"1\"")));
    }

    #[tokio::test]
    async fn a_connection_closed_before_the_answer_is_an_error() {
        let address = server(vec![vec!["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"]]).await;
        let mut connection = Connection::open(address).await.unwrap();
        assert!(connection.exchange(b"GET / HTTP/1.1\r\n\r\n").await.is_err());
    }

    #[test]
    fn chunks_are_refused_rather_than_measured_wrongly() {
        assert!(content_length(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert_eq!(content_length(b"HTTP/1.1 200 OK\r\n\r\n").unwrap(), 0);
    }
}
