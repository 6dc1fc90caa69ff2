//! A bare connection, for what no well-behaved client would send.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long a test waits for bytes or for the end of a connection before it fails.
const PATIENCE: Duration = Duration::from_secs(300);

/// A connection to the server.
#[derive(Debug)]
pub(crate) struct Wire(TcpStream);

impl Wire {
    pub(crate) fn to(address: impl ToSocketAddrs) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    /// Sends bytes; whether the other side still took them.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// Everything until the other side closes; `None` where it does not close in time.
    pub(crate) fn until_closed(&mut self) -> Option<String> {
        let mut text = Vec::new();
        match self.0.read_to_end(&mut text) {
            Ok(_) => {}
            // A reset is an end too.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
            Err(_) => return None,
        }
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    /// The head of the next answer.
    pub(crate) fn head(&mut self) -> String {
        let mut text = Vec::new();
        let mut byte = [0];
        while !text.ends_with(b"\r\n\r\n") && self.0.read_exact(&mut byte).is_ok() {
            text.push(byte[0]);
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}
