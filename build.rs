//! pgrx finds the extension's SQL in a section of the module that nothing refers to: the linker must keep it. Said here,
//! for the module alone, and not in RUSTFLAGS as cargo-pgrx says it by itself: other flags would build every dependency
//! again at each change between tests, lints and installation.
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-link-arg-cdylib=-Wl,--no-gc-sections");
    }
}
