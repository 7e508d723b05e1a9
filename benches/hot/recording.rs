//! The encoder, the boundary of characters, and the chain: what runs for each piece of output.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use recmode::recording::chain::{self, Chain};
use recmode::recording::{Encoder, Format, Record, incomplete_tail};

use crate::sample;

/// What a read from a terminal gives in a flood, and at a prompt.
const READS: [usize; 2] = [4096, 64];

const OUTPUT: usize = 1 << 20;

/// A piece with an incomplete character at its end is encoded as the session would: without it.
#[divan::bench(args = READS)]
fn encode(bencher: Bencher<'_, '_>, read: usize) {
    let output = sample::output(OUTPUT);
    let mut lines = Vec::with_capacity(2 * OUTPUT);
    bencher.counter(BytesCount::of_str(&output)).bench_local(|| {
        lines.clear();
        let mut encoder = Encoder::new(Format::AsciicastV3, 0);
        let (mut rest, mut time) = (output.as_bytes(), 0);
        while !rest.is_empty() {
            let most = read.min(rest.len());
            let (piece, after) = rest.split_at(most - incomplete_tail(&rest[..most]));
            time += 40;
            encoder.bytes(time, 'o', piece, &mut lines);
            rest = after;
        }
        lines.len()
    });
}

/// What is no UTF-8: each read needs its exact bytes beside it.
#[divan::bench]
fn encode_invalid(bencher: Bencher<'_, '_>) {
    let mut output = sample::output(OUTPUT).into_bytes();
    for byte in output.iter_mut().step_by(100) {
        *byte = 0xff;
    }
    let mut lines = Vec::with_capacity(4 * OUTPUT);
    bencher.counter(BytesCount::of_slice(&output)).bench_local(|| {
        lines.clear();
        let mut encoder = Encoder::new(Format::AsciicastV3, 0);
        for piece in output.chunks(4096) {
            encoder.bytes(0, 'o', piece, &mut lines);
        }
        lines.len()
    });
}

/// The floor of [`encode`]: the same bytes copied.
#[divan::bench]
fn encode_floor_copy(bencher: Bencher<'_, '_>) {
    let output = sample::output(OUTPUT);
    let mut lines = Vec::with_capacity(2 * OUTPUT);
    bencher.counter(BytesCount::of_str(&output)).bench_local(|| {
        lines.clear();
        for piece in output.as_bytes().chunks(4096) {
            lines.extend_from_slice(piece);
        }
        lines.len()
    });
}

/// All cuts of a text: does the read end inside a character?
#[divan::bench]
fn utf8_boundary(bencher: Bencher<'_, '_>) {
    let output = sample::output(64 << 10);
    let output = output.as_bytes();
    bencher
        .counter(divan::counter::ItemsCount::new(output.len()))
        .bench(|| (1..=output.len()).map(|end| incomplete_tail(black_box(&output[..end]))).sum::<usize>());
}

/// The chain with a check after every 64 KiB, fed with lines as the session writes them.
#[divan::bench(args = READS)]
fn chain(bencher: Bencher<'_, '_>, piece: usize) {
    let output = sample::output(OUTPUT).into_bytes();
    let mut line = Vec::new();
    Encoder::new(Format::AsciicastV3, 0).record(&Record::EMPTY_CHECK, &mut line);
    let at = chain::value_in(&line).map_or(0, |value| value.start);
    bencher.counter(BytesCount::of_slice(&output)).bench_local(|| {
        let mut chain = Chain::new(false);
        for bytes in output.chunks(piece) {
            chain.push(bytes);
            if chain.unchecked() >= chain::EVERY_BYTES {
                chain.fill(&mut line, at);
                chain.push(&line);
                chain.checked();
            }
        }
        chain.unchecked()
    });
}

/// The floor of [`chain`]: BLAKE3 over the same bytes at once.
#[divan::bench]
fn chain_floor_hash(bencher: Bencher<'_, '_>) {
    let output = sample::output(OUTPUT).into_bytes();
    bencher.counter(BytesCount::of_slice(&output)).bench(|| blake3::hash(black_box(&output)));
}
