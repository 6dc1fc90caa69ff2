//! The door: bytes in, bytes out. The only module that knows actix and rustls.
