//! Signatures mean what they mean to `ssh-keygen -Y verify`: one table of cases, given to both programs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ed25519_dalek::Signer as _;
use ssh_key::public::{Ed25519PublicKey, KeyData, SkEcdsaSha2NistP256, SkEd25519};
use ssh_key::sha2::{Digest as _, Sha256, Sha512};

use crate::{arg, has, outcome, run, support};

/// What a signer is called in the cases.
const ME: &str = "ops@example.org";

/// 2026-01-01 00:00:00 UTC, when the recordings began.
const RECORDED: i64 = 1_767_225_600;

/// A directory with a recording in it, which has no checks, and keys.
struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: tempfile::tempdir().expect("a directory") };
        let text = format!(
            "{{\"version\":3,\"term\":{{\"cols\":80,\"rows\":24}},\"timestamp\":{RECORDED}}}\n[0.5, \"o\", \"hello\"]\n"
        );
        fs::write(desk.recording(), text).expect("written");
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn recording(&self) -> PathBuf {
        self.path("a.cast")
    }

    /// A key of ssh-keygen's; gives its public half.
    fn key(&self, name: &str, options: &[&str]) -> String {
        let path = self.path(name);
        ssh_keygen(&[&["-q", "-N", "", "-C", "comment", "-f", arg(&path)], options].concat());
        fs::read_to_string(path.with_extension("pub")).expect("a public key").trim_end().to_owned()
    }

    /// Signs the recording by a key's name.
    fn sign(&self, key: &str, options: &[&str]) {
        let _ = fs::remove_file(self.path("a.cast.sig"));
        let (key, file) = (self.path(key), self.recording());
        let words = [&["-q", "-Y", "sign", "-f", arg(&key)], options, &[arg(&file)]].concat();
        ssh_keygen(&words);
    }

    /// Whether ssh-keygen accepts the recording's signature for a principal.
    fn ssh_keygen_accepts(&self, signers: &[u8], principal: &str, options: &[&str]) -> bool {
        let path = self.path("signers");
        fs::write(&path, signers).expect("written");
        let signature = self.path("a.cast.sig");
        let words =
            ["-Y", "verify", "-f", arg(&path), "-I", principal, "-n", "recmode", "-s", arg(&signature)];
        let text = File::open(self.recording()).expect("a recording");
        let mut command = Command::new("ssh-keygen");
        command.env("TZ", "Europe/Berlin").args(words).args(options).stdin(text);
        command.output().expect("ssh-keygen").status.success()
    }

    /// What recmode prints of the recording's signature, or as an error, and the exit status. Without checks, 2 is the answer for
    /// one that holds.
    fn recmode(&self, signers: &[u8], options: &[&str]) -> (String, Option<i32>) {
        let path = self.path("signers");
        fs::write(&path, signers).expect("written");
        let mut command = support::recmode();
        command.env("TZ", "Europe/Berlin").args([
            "verify",
            "--format",
            "json",
            "--allowed-signers",
            arg(&path),
        ]);
        let (out, err, status) =
            outcome(&command.args(options).arg(self.recording()).output().expect("recmode"));
        let Ok(tree) = serde_json::from_str::<serde_json::Value>(&out) else { return (err, status) };
        let signature = &tree["files"][0]["signature"];
        let said = if signature["valid"] == true { &signature["principals"] } else { &signature["error"] };
        (said.as_str().expect("a text").to_owned(), status)
    }

    /// Gives a case to both programs, which have to agree. `at` is the time of both, and `expected` what recmode prints, where
    /// the signature doesn't hold.
    fn both(&self, signers: impl AsRef<[u8]>, at: &str, expected: Result<(), &str>) {
        let signers = signers.as_ref();
        let shown = String::from_utf8_lossy(signers);
        let time = format!("verify-time={at}");
        let accepted = self.ssh_keygen_accepts(signers, ME, &["-O", &time]);
        assert_eq!(accepted, expected.is_ok(), "ssh-keygen, {at}: {shown}");
        let (said, status) = self.recmode(signers, &["--verify-time", at]);
        match expected {
            Ok(()) => assert!(said.contains(ME) && status == Some(2), "{said}, {at}: {shown}"),
            Err(why) => {
                let open = why.contains("can't be verified") || why == LINE_1;
                assert!(said.contains(why), "{said}, {at}: {shown}");
                assert_eq!(status, Some(if open { 2 } else { 1 }), "{said}: {shown}");
            }
        }
    }
}

fn ssh_keygen(words: &[&str]) {
    let output = Command::new("ssh-keygen").args(words).stdin(Stdio::null()).output().expect("ssh-keygen");
    assert!(output.status.success(), "{words:?}: {}", support::all(&output));
}

const NOW: &str = "20260601Z";
const UNKNOWN: &str = "not among the allowed signers";
const LATE: &str = "not valid at";
/// No line can be read, which is an error.
const LINE_1: &str = "/signers: line 1: ";

#[test]
fn the_file_of_signers_is_read_as_ssh_keygen_reads_it() {
    if !has("ssh-keygen") {
        return;
    }
    let desk = Desk::new();
    let key = &desk.key("mine", &["-t", "ed25519"]);
    let other = &desk.key("other", &["-t", "ed25519"]);
    let rsa = &desk.key("rsa", &["-t", "rsa", "-b", "2048"]);
    let ecdsa = &desk.key("ecdsa", &["-t", "ecdsa", "-b", "256"]);
    let blob = key.split(' ').nth(1).expect("a key");
    desk.sign("mine", &["-n", "recmode"]);
    for (signers, expected) in [
        (format!("{ME} {key}\n"), Ok(())),
        (format!("{ME} {key}"), Ok(())),
        (format!("{ME} {key}\r\n"), Ok(())),
        (format!("# comment\n\n   # another\n \t \n\t{ME}\t {key}\n"), Ok(())),
        (format!("{ME} ssh-ed25519 {blob}\n"), Ok(())),
        (format!("{ME} ssh-ed25519 \t{blob}\tcomment \"with a quote\n"), Ok(())),
        (format!("{ME} {other}\n"), Err(UNKNOWN)),
        (format!("{ME} {other}\n{ME} {rsa}\n{ME} {ecdsa}\n{ME} {key}\n"), Ok(())),
        (format!("someone {rsa}\n{ME} {key}\n"), Ok(())),
        // Principals.
        (format!("a@x,{ME},b@x {key}\n"), Ok(())),
        (format!("\"{ME}\" {key}\n"), Ok(())),
        (format!("\"{ME},two words\" {key}\n"), Ok(())),
        (format!("!mallory,{ME} {key}\n"), Ok(())),
        (format!("!{ME} {key}\n"), Err(UNKNOWN)),
        (format!("!mallory {key}\n"), Err(UNKNOWN)),
        (format!("{ME},!{ME} {key}\n"), Err(UNKNOWN)),
        (format!("{ME},!ops@* {key}\n"), Err(UNKNOWN)),
        (format!("!*,{ME} {key}\n"), Err(UNKNOWN)),
        // Namespaces.
        (format!("{ME} namespaces=\"recmode\" {key}\n"), Ok(())),
        (format!("{ME} NAMESPACES=\"git,rec*\" {key}\n"), Ok(())),
        (format!("{ME} namespaces=\"re?mode\" {key}\n"), Ok(())),
        (format!("{ME} namespaces=\"a b,recmode\" {key}\n"), Ok(())),
        (format!("{ME} namespaces=\"!git,*\" {key}\n"), Ok(())),
        (format!("{ME} namespaces=\"rec*,!recmode\" {key}\n"), Err(UNKNOWN)),
        (format!("{ME} namespaces=\"!git\" {key}\n"), Err(UNKNOWN)),
        (format!("{ME} namespaces=\"git\" {key}\n"), Err(UNKNOWN)),
        (format!("{ME} namespaces=\"RECMODE\" {key}\n"), Err(UNKNOWN)),
        (format!("{ME} namespaces=\"git, recmode\" {key}\n"), Err(UNKNOWN)),
        (format!("{ME} namespaces=\"\" {key}\n"), Err(UNKNOWN)),
        (format!("{ME} namespaces=\"a\\\"b,recmode\" {key}\n"), Ok(())),
        (format!("{ME} namespaces=\"git\" {key}\n{ME} {key}\n"), Ok(())),
        (format!("{ME} namespaces=recmode {key}\n"), Err(LINE_1)),
        (format!("{ME} namespaces='recmode' {key}\n"), Err(LINE_1)),
        (format!("{ME} namespaces=\"recmode {key}\n"), Err(LINE_1)),
        (format!("{ME} namespaces=\"recmode\"x {key}\n"), Err(LINE_1)),
        (format!("{ME} namespaces=\"recmode\",namespaces=\"recmode\" {key}\n"), Err(LINE_1)),
        (format!("{ME} namespaces = \"recmode\" {key}\n"), Err(LINE_1)),
        // Other options.
        (format!("{ME} cert-authority {key}\n"), Err(UNKNOWN)),
        (format!("{ME} Cert-Authority,namespaces=\"recmode\" {key}\n"), Err(UNKNOWN)),
        (format!("{ME} cert-authority {other}\n{ME} {key}\n"), Ok(())),
        (format!("{ME} cert-authority=\"1\" {key}\n"), Err(LINE_1)),
        (format!("{ME} colour=\"red\" {key}\n"), Err(LINE_1)),
        (format!("{ME} ,namespaces=\"recmode\" {key}\n"), Ok(())),
        (format!("{ME} namespaces=\"recmode\",,cert-authority {other}\n{ME} {key}\n"), Ok(())),
        (format!("{ME} namespaces=\"recmode\", {key}\n"), Err(LINE_1)),
        // Lines that can't be read are passed over.
        (format!("{ME}\n{ME} {key}\n"), Ok(())),
        (format!("{ME} ssh-ed25519\n{ME} {key}\n"), Ok(())),
        (format!("{ME} ssh-ed25519 AAAA\n{ME} {key}\n"), Ok(())),
        (format!("{ME} ssh-rsa {blob}\n{ME} {key}\n"), Ok(())),
        (format!("{ME} ssh-new {blob}\n{ME} {key}\n"), Ok(())),
        (format!("\"{ME} {key}\n"), Err(LINE_1)),
        (format!("{ME} garbage\n{ME} {other}\n"), Err(UNKNOWN)),
        (format!("{ME} {key}\n{ME} garbage\n"), Ok(())),
        (format!("someone garbage\n{ME} {key}\n"), Ok(())),
        (format!("* garbage\n{ME} {key}\n"), Ok(())),
        (String::new(), Err(UNKNOWN)),
    ] {
        desk.both(signers, NOW, expected);
    }
    // Bytes that are no text, and the end that a NUL makes.
    desk.both([b"# \xff\xfe\n", format!("{ME} {key} \u{e9}\n").as_bytes()].concat(), NOW, Ok(()));
    desk.both(format!("{ME} {key}\0{other}\n"), NOW, Ok(()));
}

#[test]
fn a_key_is_valid_when_ssh_keygen_takes_it_to_be() {
    if !has("ssh-keygen") {
        return;
    }
    let desk = Desk::new();
    let key = &desk.key("mine", &["-t", "ed25519"]);
    desk.sign("mine", &["-n", "recmode"]);
    for (options, at, expected) in [
        ("valid-after=\"20260601Z\"", "20260601Z", Ok(())),
        ("valid-after=\"20260601Z\"", "20260531235959Z", Err(LATE)),
        ("valid-before=\"20260601Z\"", "20260601Z", Ok(())),
        ("valid-before=\"20260601Z\"", "20260601000001Z", Err(LATE)),
        ("valid-before=\"20260601utc\"", "20260601000001UTC", Err(LATE)),
        ("Valid-After=\"202606011200\",valid-before=\"20270101\"", "202606011100Z", Ok(())),
        // Local time is standard time, in summer too.
        ("valid-after=\"202606011200\"", "202606011059Z", Err(LATE)),
        ("valid-after=\"202601011200\"", "202601011100Z", Ok(())),
        ("valid-after=\"202601011200\"", "202601011159", Err(LATE)),
        ("valid-after=\"20260231Z\"", "20260302235959Z", Err(LATE)),
        ("valid-after=\"20260231Z\"", "20260303Z", Ok(())),
        ("valid-before=\"99991231\"", NOW, Ok(())),
        ("valid-before=\"99991231Z\"", NOW, Ok(())),
        ("valid-before=\"99991231235961Z\"", "99991231Z", Ok(())),
        ("valid-after=\"99991230\"", NOW, Err(LATE)),
        ("valid-before=\"19700101Z\"", NOW, Err(LINE_1)),
        ("valid-after=\"20260101\",valid-before=\"20250101\"", NOW, Err(LINE_1)),
        ("valid-after=\"20260101\",valid-before=\"20260101\"", NOW, Err(LINE_1)),
        ("valid-after=\"20260101\",valid-after=\"20260101\"", NOW, Err(LINE_1)),
        ("valid-after=\"soon\"", NOW, Err(LINE_1)),
        ("valid-after=\"2026-01-01\"", NOW, Err(LINE_1)),
        ("valid-after=\"2026010112\"", NOW, Err(LINE_1)),
        ("valid-after=\"20261301\"", NOW, Err(LINE_1)),
        ("valid-after=20260101", NOW, Err(LINE_1)),
        ("valid-after=\"\"", NOW, Err(LINE_1)),
        ("valid-after", NOW, Err(LINE_1)),
    ] {
        desk.both(format!("{ME} {options} {key}\n"), at, expected);
    }
    desk.both(format!("{ME} valid-before=\"20250101\" {key}\n{ME} {key}\n"), NOW, Ok(()));
}

#[test]
fn an_old_recording_holds_after_its_key_was_rotated() {
    if !has("ssh-keygen") {
        return;
    }
    let desk = Desk::new();
    let key = desk.key("mine", &["-t", "ed25519"]);
    desk.sign("mine", &["-n", "recmode"]);
    // It was recorded at 20260101000000Z; the machine's own time is after both.
    for (options, holds) in [
        ("valid-before=\"20260102Z\"", true),
        ("valid-after=\"20260101Z\"", true),
        ("valid-before=\"20251231Z\"", false),
        ("valid-after=\"20260102Z\"", false),
    ] {
        let signers = format!("{ME} {options} {key}\n");
        let (said, status) = desk.recmode(signers.as_bytes(), &[]);
        assert_eq!((said == ME, status), (holds, Some(if holds { 2 } else { 1 })), "{options}: {said}");
        let at = ["-O", "verify-time=20260101000000Z"];
        assert_eq!(desk.ssh_keygen_accepts(signers.as_bytes(), ME, &at), holds, "{options}");
    }
    let signers = format!("{ME} valid-before=\"20260102Z\" {key}\n");
    for (at, status) in [("2026-01-01", 2), ("2026-01-03 12:00", 1), ("now", 1), ("20260101120000Z", 2)] {
        let (said, found) = desk.recmode(signers.as_bytes(), &["--verify-time", at]);
        assert_eq!(found, Some(status), "{at}: {said}");
    }
    let file = desk.recording();
    let words = ["verify", "--allowed-signers", arg(&file), "--verify-time", "soonish", arg(&file)];
    let (_, err, status) = run(&words);
    assert!(err.contains("--verify-time") && err.contains("soonish") && status == Some(2), "{err}");
}

#[test]
fn keys_of_each_type_verify_as_they_do_for_ssh_keygen() {
    if !has("ssh-keygen") {
        return;
    }
    let desk = Desk::new();
    let whole = fs::read(desk.recording()).expect("a recording");
    for (name, options) in [
        ("ed25519", &["-t", "ed25519"][..]),
        ("rsa-1024", &["-t", "rsa", "-b", "1024"]),
        ("rsa-2048", &["-t", "rsa", "-b", "2048"]),
        ("rsa-2056", &["-t", "rsa", "-b", "2056"]),
        ("rsa-3001", &["-t", "rsa", "-b", "3001"]),
        ("ecdsa-256", &["-t", "ecdsa", "-b", "256"]),
        ("ecdsa-384", &["-t", "ecdsa", "-b", "384"]),
        ("ecdsa-521", &["-t", "ecdsa", "-b", "521"]),
    ] {
        let key = desk.key(name, options);
        for hash in ["hashalg=sha512", "hashalg=sha256"] {
            desk.sign(name, &["-n", "recmode", "-O", hash]);
            desk.both(format!("{ME} {key}\n"), NOW, Ok(()));
            fs::write(desk.recording(), [&whole[..], b"[0.5, \"o\", \"more\"]\n"].concat()).expect("written");
            desk.both(format!("{ME} {key}\n"), NOW, Err("not over this recording"));
            fs::write(desk.recording(), &whole).expect("written");
        }
        desk.sign(name, &["-n", "git"]);
        desk.both(format!("{ME} {key}\n"), NOW, Err("another purpose (\"git\")"));
    }
}

#[test]
fn certificates_are_reported_as_unsupported() {
    if !has("ssh-keygen") {
        return;
    }
    let desk = Desk::new();
    let key = desk.key("mine", &["-t", "ed25519"]);
    let authority = desk.key("authority", &["-t", "ed25519"]);
    ssh_keygen(&[
        "-q",
        "-s",
        arg(&desk.path("authority")),
        "-I",
        "id",
        "-n",
        ME,
        arg(&desk.path("mine.pub")),
    ]);
    let certificate = fs::read_to_string(desk.path("mine-cert.pub")).expect("a certificate");
    // As a line of the file it spoils nothing.
    desk.sign("mine", &["-n", "recmode"]);
    desk.both(format!("{ME} {certificate}\n{ME} {key}\n"), NOW, Ok(()));
    // ssh-keygen signs by the certificate's key with the certificate in the signature only where it has both, through an agent.
    let blob = base64(certificate.split(' ').nth(1).expect("a certificate"));
    let text = fs::read_to_string(desk.path("a.cast.sig")).expect("a signature");
    let own = base64(key.split(' ').nth(1).expect("a key"));
    let packed: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let signature = base64(&packed);
    let rest = &signature[10 + 4 + own.len()..];
    let replaced = [&signature[..10], &string(&blob), rest].concat();
    fs::write(desk.path("a.cast.sig"), armored(&replaced)).expect("written");
    let signers = format!("{ME} cert-authority {authority}\n");
    assert!(desk.ssh_keygen_accepts(signers.as_bytes(), ME, &[]), "a certificate is fine for ssh-keygen");
    let (said, status) = desk.recmode(signers.as_bytes(), &[]);
    assert!(said.contains("type ssh-ed25519-cert-v01@openssh.com are not supported"), "{said}");
    assert_eq!(status, Some(2));
}

/// A field of a binary form.
fn string(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).expect("a length").to_be_bytes()[..], bytes].concat()
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
}

fn armored(blob: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(blob);
    format!("-----BEGIN SSH SIGNATURE-----\n{text}\n-----END SSH SIGNATURE-----\n")
}

/// An SSHSIG by this key, of which `sign` makes the innermost part.
fn sshsig(key: &[u8], text: &[u8], sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let head = [string(b"recmode"), string(b""), string(b"sha512")].concat();
    let data = [b"SSHSIG", &head[..], &string(&Sha512::digest(text))].concat();
    let signature = sign(&data);
    armored(&[b"SSHSIG\0\0\0\x01", &string(key)[..], &head, &string(&signature)].concat())
}

/// What a security key signs: flags and a counter are between the two hashes.
fn sk_data(application: &str, flags: u8, counter: u32, data: &[u8]) -> Vec<u8> {
    let (application, data) = (Sha256::digest(application), Sha256::digest(data));
    [&application[..], &[flags], &counter.to_be_bytes(), &data].concat()
}

fn openssh(key: KeyData) -> (String, Vec<u8>) {
    let key = ssh_key::PublicKey::from(key);
    (key.to_openssh().expect("a key"), key.to_bytes().expect("a key"))
}

#[test]
fn security_keys_verify_as_they_do_for_ssh_keygen() {
    if !has("ssh-keygen") {
        return;
    }
    let desk = Desk::new();
    let text = fs::read(desk.recording()).expect("a recording");
    let secret = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let public = Ed25519PublicKey(secret.verifying_key().to_bytes());
    let (line, blob) = openssh(KeyData::SkEd25519(SkEd25519::new(public, "ssh:ours")));
    let by_ed25519 = |flags: u8, application: &str, trailer: &[u8]| {
        sshsig(&blob, &text, |data| {
            let signature = secret.sign(&sk_data(application, flags, 9, data)).to_bytes();
            let name = string(b"sk-ssh-ed25519@openssh.com");
            [&name[..], &string(&signature), &[flags], &9_u32.to_be_bytes(), trailer].concat()
        })
    };
    let cases = [
        (1, "ssh:ours", &b""[..], Ok(())),
        (5, "ssh:ours", b"", Ok(())),
        // Nobody touched it: that is for sshd(8) to refuse.
        (0, "ssh:ours", b"", Ok(())),
        (1, "ssh:theirs", b"", Err("not over this recording")),
        (1, "ssh:ours", b"x", Err("no SSH signature")),
    ];
    for (flags, application, trailer, expected) in cases {
        fs::write(desk.path("a.cast.sig"), by_ed25519(flags, application, trailer)).expect("written");
        desk.both(format!("{ME} {line}\n"), NOW, expected);
    }

    let secret = p256::ecdsa::SigningKey::from_slice(&[7; 32]).expect("a key");
    let point = secret.verifying_key().to_encoded_point(false);
    let (line, blob) = openssh(KeyData::SkEcdsaSha2NistP256(SkEcdsaSha2NistP256::new(point, "ssh:ours")));
    let number = |bytes: &[u8]| {
        let bytes = &bytes[bytes.iter().position(|&byte| byte != 0).unwrap_or(0)..];
        if bytes[0] >= 0x80 { string(&[&[0], bytes].concat()) } else { string(bytes) }
    };
    let by_ecdsa = |name: &str, flags: u8, application: &str| {
        sshsig(&blob, &text, |data| {
            let signature: p256::ecdsa::Signature = secret.sign(&sk_data(application, flags, 9, data));
            let (r, s) = signature.split_bytes();
            let signature = [number(&r), number(&s)].concat();
            [&string(name.as_bytes())[..], &string(&signature), &[flags], &9_u32.to_be_bytes()].concat()
        })
    };
    let name = "sk-ecdsa-sha2-nistp256@openssh.com";
    for (name, flags, application, expected) in [
        (name, 1, "ssh:ours", Ok(())),
        (name, 0, "ssh:ours", Ok(())),
        (name, 1, "ssh:theirs", Err("not over this recording")),
        (
            "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
            1,
            "ssh:ours",
            Err("can't be verified: signatures of type webauthn"),
        ),
        ("sk-ssh-ed25519@openssh.com", 1, "ssh:ours", Err("no SSH signature")),
    ] {
        fs::write(desk.path("a.cast.sig"), by_ecdsa(name, flags, application)).expect("written");
        desk.both(format!("{ME} {line}\n"), NOW, expected);
    }
}

#[test]
fn a_signature_s_text_is_read_as_ssh_keygen_reads_it() {
    if !has("ssh-keygen") {
        return;
    }
    let desk = Desk::new();
    let key = desk.key("mine", &["-t", "ed25519"]);
    desk.sign("mine", &["-n", "recmode"]);
    let signature = fs::read_to_string(desk.path("a.cast.sig")).expect("a signature");
    let body: String = signature.lines().filter(|line| !line.starts_with('-')).collect();
    let wrapped = |width: usize| {
        let lines: Vec<_> = body.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line)).collect();
        format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"))
    };
    let blob = base64(&body);
    for (text, expected) in [
        (signature.clone(), Ok(())),
        (wrapped(64), Ok(())),
        (wrapped(7), Ok(())),
        (wrapped(1000), Ok(())),
        (format!("{signature}and more\n"), Ok(())),
        (signature.replacen('\n', "\n \n", 2), Ok(())),
        (format!("\n{signature}"), Err("no SSH signature")),
        (signature.replace("-----END", "----END"), Err("no SSH signature")),
        (armored(&[&blob[..], b"x"].concat()), Err("no SSH signature")),
        (armored(&blob[..blob.len() - 1]), Err("no SSH signature")),
        (armored(&[&b"SSHSIG\0\0\0\x02"[..], &blob[10..]].concat()), Err("can't be verified")),
        (String::new(), Err("no SSH signature")),
    ] {
        fs::write(desk.path("a.cast.sig"), text).expect("written");
        desk.both(format!("{ME} {key}\n"), NOW, expected);
    }
}

#[test]
fn rsa_with_sha_1_is_not_accepted() {
    if !has("ssh-keygen") {
        return;
    }
    let desk = Desk::new();
    let key = desk.key("rsa", &["-t", "rsa", "-b", "2048"]);
    let blob = base64(key.split(' ').nth(1).expect("a key"));
    let text = fs::read(desk.recording()).expect("a recording");
    let signature =
        |name: &[u8], len: usize| sshsig(&blob, &text, |_| [string(name), string(&vec![7; len])].concat());
    for (name, len, expected) in [
        (&b"ssh-rsa"[..], 256, "can't be verified: signatures of type ssh-rsa with SHA-1"),
        (b"rsa-sha2-512", 256, "not over this recording"),
        (b"rsa-sha2-512", 257, "no SSH signature"),
        (b"ssh-ed25519", 256, "no SSH signature"),
    ] {
        fs::write(desk.path("a.cast.sig"), signature(name, len)).expect("written");
        desk.both(format!("{ME} {key}\n"), NOW, Err(expected));
    }
}

#[test]
fn the_signature_of_a_recording_holds_after_it_was_compressed() {
    if !has("ssh-keygen") {
        return;
    }
    let desk = Desk::new();
    let key = desk.key("mine", &["-t", "ed25519"]);
    fs::write(desk.path("signers"), format!("{ME} {key}\n")).expect("written");
    let signers = desk.path("signers");
    let verify = |file: &Path| run(&["verify", "--allowed-signers", arg(&signers), arg(file)]).0;
    let text = fs::read(desk.recording()).expect("a recording");
    desk.sign("mine", &["-n", "recmode"]);
    for (name, packed) in [
        ("a.cast.gz", {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, &text).expect("packed");
            encoder.finish().expect("packed")
        }),
        (
            "a.cast.zst",
            ruzstd::encoding::compress_to_vec(&text[..], ruzstd::encoding::CompressionLevel::Fastest),
        ),
    ] {
        let file = desk.path(name);
        fs::write(&file, &packed).expect("written");
        // FILE.sig is over the text.
        let out = verify(&file);
        assert!(out.ends_with(&format!("without checks; signed by {ME}\n")), "{out}");
        // FILE.gz.sig is over the file as it is, and is taken first.
        let own = desk.path(&format!("{name}.sig"));
        fs::copy(desk.path("a.cast.sig"), &own).expect("copied");
        assert!(verify(&file).contains("not over this recording"), "{name}");
        fs::remove_file(&own).expect("removed");
        ssh_keygen(&["-q", "-Y", "sign", "-f", arg(&desk.path("mine")), "-n", "recmode", arg(&file)]);
        assert!(verify(&file).ends_with(&format!("signed by {ME}\n")), "{name}");
        fs::remove_file(&own).expect("removed");
        // The text that was signed is all of it, whatever its first lines are.
        let other = [&text[..], b"[0.5, \"o\", \"more\"]\n"].concat();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, &other).expect("packed");
        fs::write(&file, encoder.finish().expect("packed")).expect("written");
        assert!(verify(&file).contains("not over this recording"), "{name}");
    }
}
