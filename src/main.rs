//! The program: hands its arguments to the library and its exit code to the system.

fn main() -> std::process::ExitCode {
    intendant::cli::main(std::env::args_os()).0.into()
}
