//! Recordings to measure the commands with that read them, and the floors of these commands.
//!
//!     cargo run --release --example recordings -- write DIR COUNT BYTES   # recordings of so many bytes each
//!     cargo run --release --example recordings -- ends DIR                # what `ls` can't do without
//!     cargo run --release --example recordings -- hash FILE               # what `verify` can't do without

use std::error::Error;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

#[expect(dead_code, reason = "the benches use the rest")]
#[path = "../benches/hot/sample.rs"]
mod sample;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["write", dir, count, bytes] => write(Path::new(dir), count.parse()?, bytes.parse()?)?,
        ["ends", dir] => {
            let files = fs::read_dir(dir)?
                .map(|entry| Ok(entry?.path()))
                .collect::<std::io::Result<Vec<PathBuf>>>()?;
            let read = files.par_iter().map(|file| sample::ends(file)).sum::<std::io::Result<usize>>()?;
            println!("{} files, {read} bytes", files.len());
        }
        ["hash", file] => println!("{}", sample::hash(Path::new(file))?),
        _ => return Err("write DIR COUNT BYTES, ends DIR, or hash FILE".into()),
    }
    Ok(())
}

fn write(dir: &Path, count: usize, bytes: usize) -> std::io::Result<()> {
    fs::create_dir_all(dir)?;
    let output = sample::output(256 << 10);
    for n in 0..count {
        let mut file = File::create(dir.join(format!("20261122T204500Z-user-{n:06}.cast")))?;
        let mut result = Ok(());
        sample::recording(n, bytes, output.as_bytes(), |lines| {
            if result.is_ok() {
                result = file.write_all(lines);
            }
        });
        result?;
    }
    Ok(())
}
