//! The `carnet` command.

use std::process::ExitCode;

// Measured: 5 to 10 % more searches and creations a second than the system's, for 20 MiB more resident memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // One crypto library for everything that speaks TLS; a second installation is refused and changes nothing.
    let _ = rustls_openssl::default_provider().install_default();
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
    carnet::cli::run(std::env::args_os(), environment)
}
