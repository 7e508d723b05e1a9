//! Laboratories in which recording fails.

use crate::harness::{Cast, Disk, Lab, Skip, find, needs_root, needs_tools};

/// What was said, less recmode's notes of its own after the session (which one test is about).
pub(crate) fn without_notes(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.split_inclusive('\n').filter(|line| !line.starts_with("recmode: ")).collect()
}

/// A laboratory with a disk, to be dropped in the order in which a pattern drops them: the disk first.
pub(crate) fn on_tmpfs(options: &str) -> Result<(Lab, Disk), Skip> {
    let lab = Lab::new();
    let disk = Disk::tmpfs(&lab, options)?;
    Ok((lab.wrap(disk.wrapper()), disk))
}

/// The same, with a disk of this size that has so much room left.
pub(crate) fn with_disk(kib: u64, leaving: u64) -> Result<(Lab, Disk), Skip> {
    let (lab, disk) = on_tmpfs(&format!("size={kib}k,mode=755"))?;
    disk.fill_leaving(leaving);
    Ok((lab, disk))
}

pub(crate) fn limited(lab: Lab, bytes: u64) -> Lab {
    lab.wrap(&["prlimit".to_owned(), format!("--fsize={bytes}")])
}

pub(crate) const WRITES: &str = "write,writev,pwrite64,pwritev,pwritev2";

/// A laboratory in which these system calls on the recording fail.
pub(crate) fn injecting(calls: &str, how: &str) -> Result<Lab, Skip> {
    needs_root()?;
    needs_tools(&["strace"])?;
    let lab = Lab::new();
    let cast = lab.cast().to_str().unwrap().to_owned();
    let inject = format!("inject={calls}:{how}");
    let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", &cast, "-e", &inject];
    Ok(lab.wrap(&strace.map(str::to_owned)))
}

pub(crate) const CHATTER: &str = r#"stty -echo; echo ready; while read -r n; do yes 0123456789abcdef | head -n "$n"; echo "done $n"; done; exit 3"#;

/// How many bytes [`CHATTER`] prints when it is told these numbers.
pub(crate) fn chatter_bytes(numbers: &[u64]) -> u64 {
    7 + numbers.iter().map(|n| 18 * n + 7 + n.to_string().len() as u64).sum::<u64>()
}

/// Asserts that what is lost and what is recorded is all there was.
#[track_caller]
pub(crate) fn assert_gaps(cast: &Cast, total: u64, error: &str) {
    let gaps = cast.records("gap");
    assert!(!gaps.is_empty(), "a gap record");
    for gap in &gaps {
        assert_eq!(gap["error"], error, "{gap}");
        assert!(gap["seconds"].as_f64().is_some_and(|seconds| seconds >= 0.0), "{gap}");
        assert!(gap["lost"].as_u64() <= gap["bytes"].as_u64() && gap["bytes"].is_u64(), "{gap}");
    }
    assert!(!cast.events("m").is_empty(), "a marker at the gap");
    let recorded = cast.output().len() as u64;
    assert_eq!(recorded + cast.lost(), total, "recorded {recorded}, and lost {}: {gaps:?}", cast.lost());
    assert!(find(&cast.output(), "node error").is_none(), "messages are not output");
}
