#![no_main]

#[path = "../checks/cursor.rs"]
mod cursor;
#[path = "../../crates/core/tests/it/log_history.rs"]
mod log_history;
#[path = "../../crates/core/tests/it/log_reader.rs"]
mod log_reader;

libfuzzer_sys::fuzz_target!(|data: &[u8]| cursor::check(data));
