//! heng: calibration sessions in the terminal, and certificates that recompute from the
//! bytes on the wire. This package only composes the crates beside it: no physics, no byte
//! parsing, no numerics.

mod analyse;
mod cli;
mod lab;
mod plain;
mod selftest;
mod session;
mod tui;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
