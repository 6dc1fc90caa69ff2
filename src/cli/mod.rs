//! The command line: serve, load, migrate, config, bench.
