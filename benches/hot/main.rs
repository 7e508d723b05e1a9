//! Benches of what runs for every byte, role or recording. Each has beside it the floor that it can't go
//! below: the parser's events, the plain hash, the bare reading. Nothing here asserts a time.

mod archive;
mod policy;
mod recording;
mod sample;
mod screen;

fn main() {
    divan::main();
}
