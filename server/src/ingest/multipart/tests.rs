use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::*;

const TYPE: &str = "multipart/x-mixed-replace; boundary=frame";
const PICTURE: &[u8] = b"\xff\xd8picture\xff\xd9";

type Read = (Vec<Result<Part, MultipartError>>, bool);

/// What is read of `stream`, and whether the reader then was finished, when it comes in pieces of these lengths.
fn read(stream: &[u8], caps: Caps, mut lengths: impl FnMut() -> usize) -> Read {
    let mut reader = Reader::with_caps(TYPE, caps).unwrap();
    let (mut rest, mut parts) = (stream, Vec::new());
    while !rest.is_empty() {
        let (piece, more) = rest.split_at(lengths().clamp(1, rest.len()));
        rest = more;
        reader.push(piece);
        parts.extend(std::iter::from_fn(|| reader.next_part()));
    }
    (parts, reader.is_finished())
}

/// The same however it is cut.
fn read_in_every_way(stream: &[u8], caps: Caps) -> Read {
    let whole = read(stream, caps, || stream.len());
    assert_eq!(whole, read(stream, caps, || 1), "bytewise");
    for cut in 1..stream.len().min(200) {
        let mut lengths = [cut].into_iter();
        let halves = read(stream, caps, || lengths.next().unwrap_or(stream.len()));
        assert_eq!(whole, halves, "cut at {cut}");
    }
    let mut chance = StdRng::seed_from_u64(stream.len() as u64);
    for _ in 0..20 {
        let pieces = read(stream, caps, || chance.random_range(1..40));
        assert_eq!(whole, pieces, "in pieces");
    }
    whole
}

/// The pictures of a stream without a fault.
fn pictures(stream: &[u8]) -> Vec<Bytes> {
    let (parts, _) = read_in_every_way(stream, Caps::default());
    parts.into_iter().map(|part| part.unwrap().bytes).collect()
}

fn measured(picture: &[u8], said: usize) -> Vec<u8> {
    let head =
        format!("Content-Type: image/jpeg\r\nContent-Length: {said}\r\nX-Timestamp: 1.5\r\n\r\n");
    [head.as_bytes(), picture, b"\r\n--frame\r\n"].concat()
}

fn unmeasured(picture: &[u8]) -> Vec<u8> {
    [
        b"Content-Type: image/jpeg\r\n\r\n",
        picture,
        b"\r\n--frame\r\n",
    ]
    .concat()
}

fn stream(parts: &[Vec<u8>]) -> Vec<u8> {
    [b"--frame\r\n".to_vec(), parts.concat()].concat()
}

#[test]
fn parts_come_with_a_length_and_without() {
    let both = stream(&[
        measured(PICTURE, PICTURE.len()),
        unmeasured(PICTURE),
        unmeasured(b"x\r\n"),
    ]);
    assert_eq!(pictures(&both), [PICTURE, PICTURE, b"x\r\n"]);
    let (parts, _) = read_in_every_way(&both, Caps::default());
    let first = parts[0].as_ref().unwrap();
    assert_eq!(first.header("x-timestamp"), Some("1.5"));
    assert_eq!(first.header("X-Nothing"), None);
}

#[test]
fn what_goes_before_the_first_boundary_and_behind_the_last_is_nobodys() {
    let around =
        b"preamble --frame\r\n\r\n--frame\r\n\r\none\r\n--frame--\r\n\r\ntwo\r\n--frame\r\n";
    assert_eq!(pictures(around), [&b"one"[..]]);
    assert!(read_in_every_way(around, Caps::default()).1);
}

#[test]
fn line_feeds_alone_end_lines_too() {
    let bare = b"--frame\nContent-Length: 3\n\none\n--frame\n\ntwo\n--frame--";
    assert_eq!(pictures(bare), [&b"one"[..], b"two"]);
}

#[test]
fn empty_parts_are_passed_over() {
    let empty = stream(&[measured(b"", 0), unmeasured(b""), unmeasured(b"one")]);
    assert_eq!(pictures(&empty), [&b"one"[..]]);
}

#[test]
fn a_jpeg_is_whole_before_its_boundary_comes() {
    let early = [b"--frame\r\nContent-Length: 11\r\n\r\n", PICTURE].concat();
    assert_eq!(pictures(&early), [PICTURE]);
    let other = b"--frame\r\nContent-Length: 3\r\n\r\nPNG";
    assert!(pictures(other).is_empty());
}

#[test]
fn a_boundary_inside_a_picture_of_a_known_length_is_part_of_it() {
    let picture = b"\xff\xd8\r\n--frame\r\n\r\n--frame--\xff\xd9";
    let inside = stream(&[measured(picture, picture.len()), measured(b"one", 3)]);
    assert_eq!(pictures(&inside), [&picture[..], b"one"]);
}

#[test]
fn lengths_that_lie_are_not_believed_again() {
    for said in [0, 3, 5, 12, 40, 70] {
        let lies = stream(&[
            measured(b"the first", said),
            measured(b"the second", 999_999),
            unmeasured(b"the third"),
        ]);
        let wanted: [&[u8]; 3] = [b"the first", b"the second", b"the third"];
        assert_eq!(pictures(&lies), wanted, "{said}");
    }
    for said in ["-1", "many", "99999999999999999999999"] {
        let head = format!("--frame\r\nContent-Length: {said}\r\n\r\none\r\n--frame\r\n");
        assert_eq!(pictures(head.as_bytes()), [&b"one"[..]]);
    }
}

#[test]
fn headers_cut_short_by_a_boundary_belong_to_nothing() {
    let cut = b"--frame\r\nContent-Length: 9\r\n--frame\r\n\r\none\r\n--frame\r\n--frame--\r\n";
    assert_eq!(pictures(cut), [&b"one"[..]]);
    assert!(read_in_every_way(cut, Caps::default()).1);
}

#[test]
fn beyond_the_caps_it_says_which_and_how_much_and_is_finished() {
    let caps = Caps {
        part: 20,
        headers: 40,
    };
    let fault = |second: &[u8]| {
        let all = [
            b"--frame\r\n\r\none\r\n--frame\r\n",
            second,
            b"\r\n--frame\r\n\r\nx\r\n--frame\r\n",
        ]
        .concat();
        let (parts, finished) = read_in_every_way(&all, caps);
        assert!(
            finished && parts.len() == 2 && parts[0].is_ok(),
            "{parts:?}"
        );
        parts[1].clone().unwrap_err().to_string()
    };
    assert_eq!(
        fault(&[b"A: ", "b".repeat(38).as_bytes(), b"\r\n\r\n"].concat()),
        "the headers of part 2 go on beyond the limit of 40 bytes"
    );
    assert_eq!(
        fault(b"Content-Length: 21\r\n\r\n"),
        "part 2 of 21 bytes is over the limit of 20 bytes"
    );
    assert_eq!(
        fault(&[b"\r\n", "x".repeat(21).as_bytes()].concat()),
        "part 2 goes on beyond the limit of 20 bytes"
    );
    let just = [
        b"--frame\r\n\r\n",
        "x".repeat(20).as_bytes(),
        b"\r\n--frame\r\n",
    ]
    .concat();
    assert!(read_in_every_way(&just, caps).0[0].is_ok());
}

#[test]
fn no_more_is_held_than_the_caps_allow() {
    let caps = Caps {
        part: 1000,
        headers: 100,
    };
    for noise in [&b"-"[..], b"\n", b"\r\n--frame", b"x", b"--frame\r\n"] {
        for begun in [
            &b""[..],
            b"--frame\r\n",
            b"--frame\r\n\r\n",
            b"--frame\r\nContent-Length: 999\r\n\r\n",
        ] {
            let mut reader = Reader::with_caps(TYPE, caps).unwrap();
            reader.push(begun);
            for _ in 0..3000 {
                reader.push(noise);
                while reader.next_part().is_some() {}
                assert!(reader.held() <= 1100 + noise.len(), "{}", reader.held());
            }
        }
    }
}

/// What `tests/fuzz` looks for with a fuzzer, with dice.
#[test]
fn streams_of_rubble_read_the_same_however_they_are_cut() {
    let rubble: [&[u8]; 14] = [
        b"--frame",
        b"\r\n",
        b"\n",
        b"\r",
        b"--",
        b"-",
        b"Content-Length: 7\r\n",
        b"Content-Length: 3\n\n",
        b"\xff\xd8picture\xff\xd9",
        b"\xff\xd9",
        b"\r\n--frame\r\n",
        b"\r\n\r\n",
        b" ",
        b"some bytes",
    ];
    let caps = Caps {
        part: 60,
        headers: 60,
    };
    let mut chance = StdRng::seed_from_u64(1);
    for _ in 0..2000 {
        let count = chance.random_range(1..30);
        let pieces: Vec<&[u8]> = (0..count)
            .map(|_| *rubble.choose(&mut chance).unwrap())
            .collect();
        let stream = pieces.concat();
        let whole = read(&stream, caps, || stream.len());
        assert_eq!(
            whole,
            read(&stream, caps, || 1),
            "{:?}",
            stream.escape_ascii().to_string()
        );
        let cut = read(&stream, caps, || chance.random_range(1..12));
        assert_eq!(whole, cut, "{:?}", stream.escape_ascii().to_string());
    }
}

/// A search that began anew with each byte would take minutes here.
#[test]
fn eight_megabytes_byte_by_byte_take_linear_time() {
    let mut reader = Reader::new(TYPE).unwrap();
    reader.push(b"--frame\r\n\r\n");
    for byte in std::iter::repeat_n(b"\r\n--fram", 1 << 20).flatten() {
        reader.push(&[*byte]);
        assert!(reader.next_part().is_none());
    }
    reader.push(b"\r\n--frame\r\n");
    assert_eq!(reader.next_part().unwrap().unwrap().bytes.len(), 8 << 20);
}
