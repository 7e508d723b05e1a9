//! Links libgcc's unwinder into the program, where the C compiler has it as a static library. The shared one asks the
//! processor some thirty questions whenever it is loaded, and on a virtual machine the hypervisor answers each.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    // For another machine, or with a linker of one's own, another compiler would have to be asked.
    let own = env::var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| flags.contains("linker="));
    let native = !own && env::var("HOST").is_ok_and(|host| is("TARGET", &host));
    let target = is("CARGO_CFG_TARGET_ARCH", "x86_64") && is("CARGO_CFG_TARGET_OS", "linux");
    if native && target && is("CARGO_CFG_TARGET_ENV", "gnu") && has("libgcc_eh.a") {
        println!("cargo::rustc-link-lib=gcc_eh");
    }
}

/// Whether what rustc links with has a library of this name.
fn has(library: &str) -> bool {
    let linker = env::var_os("RUSTC_LINKER").unwrap_or_else(|| OsString::from("cc"));
    let asked = Command::new(linker).arg(format!("-print-file-name={library}")).output();
    // What it doesn't have it prints as it was asked for.
    asked.is_ok_and(|said| {
        let path = String::from_utf8_lossy(&said.stdout);
        said.status.success() && Path::new(path.trim_end()).is_file()
    })
}
