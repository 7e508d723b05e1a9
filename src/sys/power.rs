//! `pow` of the C library, for whoever calls it by that name: a progress bar's estimate does. Without it the program needs
//! no `libm.so`, which would be loaded at each start.

/// Raises `base` to `exponent`.
#[unsafe(no_mangle)]
extern "C" fn pow(base: f64, exponent: f64) -> f64 {
    libm::pow(base, exponent)
}
