use std::io::Write as _;
use std::os::fd::AsFd as _;

use nix::errno::Errno;

use super::*;

/// Frames of output whose payload tells the stream offset, so that order and losses show.
fn push(producer: &mut Producer, len: usize) -> bool {
    let payload = vec![u8::try_from(producer.stream() % 251).expect("below 251"); len];
    producer.push(FrameCode::Output, producer.stream(), &payload)
}

fn consume(consumer: &mut Consumer) -> Vec<(u64, usize, u8)> {
    let frames = take(consumer).into_iter().map(|(frame, payload)| {
        assert!(payload.iter().all(|&byte| byte == payload[0]), "a frame is whole");
        (frame.stream, payload.len(), payload[0])
    });
    frames.collect()
}

#[test]
fn what_goes_in_comes_out_in_order() {
    let (mut producer, mut consumer) = ring(1 << 20).expect("a ring");
    let mut expected = 0;
    for round in 0..2_000_usize {
        let len = 1 + (round * 977) % MAX_PAYLOAD;
        assert!(push(&mut producer, len));
        assert_eq!(producer.unshown_output(producer.head()).len(), len);
        producer.advance_shown(len);
        if round % 3 == 0 {
            for (stream, len, first) in consume(&mut consumer) {
                assert_eq!(stream, expected);
                assert_eq!(u64::from(first), stream % 251);
                expected += len as u64;
            }
        }
    }
    for (_, len, _) in consume(&mut consumer) {
        expected += len as u64;
    }
    assert_eq!(expected, producer.stream());
    assert_eq!(producer.unshown(), 0);
}

#[test]
fn what_is_read_into_it_comes_out_in_order_and_what_is_not_leaves_no_trace() {
    let (mut producer, mut consumer) = ring(4 * SEGMENT).expect("a ring");
    let (from, mut to) = std::io::pipe().expect("a pipe");
    let mut expected = 0;
    let (mut written, mut wants) = (Vec::new(), 0);
    for round in 0..500_usize {
        let payload =
            vec![u8::try_from(producer.stream() % 251).expect("below 251"); 1 + (round * 977) % 9000];
        to.write_all(&payload).expect("room in the pipe");
        wants += payload.len();
        while written.len() < wants {
            // Neither an error nor a full ring changes what the next one finds.
            let (head, stream) = (producer.head(), producer.stream());
            let failed = producer.push_read(to.as_fd(), || 0);
            assert!(matches!(failed, Err(Errno::EBADF) | Ok(None)), "{failed:?}");
            assert_eq!((producer.head(), producer.stream()), (head, stream));
            let Some(len) = producer.push_read(from.as_fd(), || stream).expect("a read") else {
                assert!(!producer.has_room());
                for (frame, payload) in take(&mut consumer) {
                    assert_eq!((frame.stream, frame.time), (expected, expected));
                    expected += payload.len() as u64;
                }
                continue;
            };
            assert!(0 < len && len <= MAX_PAYLOAD);
            let output = producer.unshown_output(producer.head());
            assert_eq!(output.len(), len);
            written.extend_from_slice(output);
            producer.advance_shown(len);
        }
        assert!(written.ends_with(&payload));
    }
    for (frame, payload) in take(&mut consumer) {
        assert_eq!(frame.stream, expected);
        expected += payload.len() as u64;
    }
    assert_eq!(expected, producer.stream());
    drop(to);
    let head = producer.head();
    assert_eq!(producer.push_read(from.as_fd(), || 0), Ok(Some(0)));
    assert_eq!((producer.head(), producer.unshown()), (head, 0));
}

/// Every frame of output, with its payload.
fn take(consumer: &mut Consumer) -> Vec<(Frame, Vec<u8>)> {
    let mut taken = Vec::new();
    while let Some(claim) = consumer.claim() {
        let frames = claim.frames().map(|(frame, _, payload)| (frame, payload.to_vec()));
        taken.extend(frames.filter(|(frame, _)| frame.code == FrameCode::Output));
        let end = claim.end;
        consumer.release(end);
        consumer.accept(end, 0, 0);
    }
    taken
}

#[test]
fn nothing_is_shown_beyond_what_was_accepted() {
    let (mut producer, consumer) = ring(1 << 20).expect("a ring");
    assert!(producer.push(FrameCode::Resize, 0, &[80, 0, 24, 0]));
    assert!(producer.push(FrameCode::Output, 0, b"hello"));
    let payload = 2 * HEADER as u64 + 8;
    assert_eq!(producer.unshown_output(producer.accepted()), b"");
    consumer.accept(payload + 3, 0, 0);
    assert_eq!(producer.unshown_output(producer.accepted()), b"hel");
    producer.advance_shown(3);
    assert_eq!(producer.unshown_output(producer.accepted()), b"");
    consumer.accept(producer.head(), 0, 0);
    assert_eq!(producer.unshown_output(producer.accepted()), b"lo");
    producer.advance_shown(2);
    assert_eq!(producer.unshown(), 0);
}

#[test]
fn what_the_consumer_was_not_told_of_it_does_not_owe() {
    let (mut producer, mut consumer) = ring(4 * SEGMENT).expect("a ring");
    assert!(push(&mut producer, 1));
    assert!(!producer.is_owed());
    producer.tell();
    assert!(producer.is_owed());
    assert!(push(&mut producer, 1));
    let end = consumer.claim().expect("two frames").end;
    assert!(producer.is_owed(), "it has them and is at work");
    consumer.release(end);
    assert!(!producer.is_owed());
    assert!(push(&mut producer, 1));
    assert!(!producer.is_owed(), "it sleeps");
}

#[test]
fn a_full_ring_drops_the_oldest_unclaimed_and_the_loss_shows() {
    let (mut producer, mut consumer) = ring(4 * SEGMENT).expect("a ring");
    let put = |producer: &mut Producer| {
        while !push(producer, 4096) {
            assert!(producer.drop_oldest());
        }
        let shown = producer.unshown_output(producer.head()).len();
        producer.advance_shown(shown);
    };
    put(&mut producer);
    // The consumer is stuck with one claimed frame while the ring turns over many times.
    let stuck = consumer.claim().map(|claim| claim.end).expect("a claim");
    for _ in 0..500 {
        put(&mut producer);
    }
    consumer.release(stuck);
    let seen = consume(&mut consumer);
    let (first, ..) = seen[0];
    assert!(first > 4096, "the oldest were dropped");
    let kept: usize = seen.iter().map(|(_, len, _)| len).sum();
    assert_eq!(first + kept as u64, producer.stream(), "the newest are all there");
    assert!(kept >= 2 * SEGMENT - 2 * MAX_PAYLOAD, "a ring's worth was kept");
}

#[test]
fn strict_never_drops_what_is_not_shown() {
    let (mut producer, _consumer) = ring(4 * SEGMENT).expect("a ring");
    while push(&mut producer, MAX_PAYLOAD) {}
    assert!(!producer.drop_oldest());
    assert!(!producer.has_room());
}

#[test]
fn two_processes_worth_of_threads_agree_on_every_byte() {
    let (mut producer, mut consumer) = ring(4 * SEGMENT).expect("a ring");
    let total = 8 << 20;
    let reader = std::thread::spawn(move || {
        let mut expected = 0;
        while expected < total {
            for (stream, len, first) in consume(&mut consumer) {
                assert_eq!(stream, expected);
                assert_eq!(u64::from(first), stream % 251);
                expected += len as u64;
            }
            std::thread::yield_now();
        }
    });
    while producer.stream() < total {
        let len = usize::try_from((total - producer.stream()).min(3001)).expect("small");
        if !push(&mut producer, len) {
            std::thread::yield_now();
        }
        loop {
            let shown = producer.unshown_output(producer.accepted()).len();
            if shown == 0 {
                break;
            }
            producer.advance_shown(shown);
        }
    }
    reader.join().expect("the consumer's assertions");
}

#[test]
fn what_finds_no_room_is_counted_in_the_next_frame() {
    let (mut producer, mut consumer) = ring(4 * SEGMENT).expect("a ring");
    let payload = [b'x'; MAX_PAYLOAD];
    while producer.push(FrameCode::Input, 0, &payload) {}
    let pushed = producer.typed();
    producer.refuse(FrameCode::Input, payload.len());
    producer.refuse(FrameCode::Output, 5);
    drop(take(&mut consumer));
    producer.all_shown();
    assert!(producer.push(FrameCode::Output, 0, b"next"));
    let (frame, _) = take(&mut consumer).pop().expect("a frame");
    assert_eq!((frame.typed, frame.stream), (pushed + payload.len() as u64, 5));
}
