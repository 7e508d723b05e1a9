//! Files shown by a headless Chromium, which reaches nothing but them.

use std::path::Path;
use std::process::Command;

/// Has the browser show a file; gives standard output.
pub(crate) fn browse(file: &Path, options: &[&str]) -> String {
    let home = tempfile::tempdir().expect("a directory");
    let output = Command::new("timeout")
        .args(["240", "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .args(["--force-prefers-reduced-motion", "--window-size=800,600"])
        .arg(format!("--user-data-dir={}", home.path().join("profile").display()))
        .args(options)
        .arg(format!("file://{}", file.display()))
        .env("HOME", home.path())
        .output()
        .expect("chromium runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a script makes of a page: the text that it gives to `done`. The policy of the page, which forbids all scripts but its
/// own, is left out, and `scripts` come before `script`.
pub(crate) fn asked(page: &str, scripts: &[&str], script: &str) -> String {
    const POLICY: &str = "<meta http-equiv=\"Content-Security-Policy\"";
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("page.html");
    let (before, policy) = page.split_once(POLICY).expect("a policy");
    let (_, after) = policy.split_once('>').expect("its end");
    let scripts: String = scripts
        .iter()
        .copied()
        .chain([script])
        .flat_map(|script| ["<script>", script, "</script>"])
        .collect();
    let done = "<script>const done = text => {\
        const answer = document.createElement('answer'); answer.textContent = text; document.body.append(answer) }</script>";
    let body = after.replace("</body>", &format!("{done}{scripts}</body>"));
    std::fs::write(&file, format!("{before}{body}")).expect("written");
    let shown = browse(&file, &["--virtual-time-budget=60000", "--dump-dom"]);
    let answer = shown.rsplit_once("<answer>").and_then(|(_, rest)| rest.split_once("</answer>"));
    answer.unwrap_or_else(|| panic!("no answer: {}", &shown[shown.len().saturating_sub(2000)..])).0.to_owned()
}
