//! Gives libFuzzer's inputs to the target `vulnerabilities`.

#![no_main]

#[path = "../targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    targets::run("vulnerabilities", data);
});
