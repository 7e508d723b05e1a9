//! The asciicast reader on any bytes, compressed ones too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recmode::cast;
use recmode::recording::reader::Reader;

fuzz_target!(|bytes: &[u8]| {
    let Ok(input) = cast::reader_of(std::io::Cursor::new(bytes.to_vec())) else { return };
    let Ok(reader) = Reader::new(input) else { return };
    for item in reader {
        let _ = item.map_err(|error| error.to_string());
    }
});
