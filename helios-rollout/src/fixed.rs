//! Logarithms and powers of two in integers, the same on every machine.
//!
//! A floating-point `ln` may differ in its last bit between two libraries, and a decision must not. A logarithm is an
//! `i64` with [`LOG_BITS`] binary places; a factor is a `u64` in which [`FACTOR_ONE`] means one.

/// Binary places of a logarithm.
pub(crate) const LOG_BITS: u32 = 32;
/// The logarithm of two.
pub(crate) const LOG_ONE: i64 = 1 << LOG_BITS;
/// The factor one.
pub(crate) const FACTOR_ONE: u64 = 1 << 63;

/// `ROOTS[i]` is 2^(2^-(i+1)) as a factor, rounded down: each is the square root of the one before.
const ROOTS: [u64; LOG_BITS as usize] = roots();

const fn roots() -> [u64; LOG_BITS as usize] {
    let mut table = [0; LOG_BITS as usize];
    let mut root: u128 = 1 << 64;
    let mut index = 0;
    while index < table.len() {
        root = (root << 63).isqrt();
        #[expect(
            clippy::indexing_slicing,
            reason = "evaluated by the compiler, which would refuse it"
        )]
        {
            table[index] = root as u64;
        }
        index += 1;
    }
    table
}

/// The base-two logarithm of `x`, rounded down to within two units of its last place; of zero, that of one.
///
/// The method is the classical one, bit by bit: square the mantissa, and each time it passes two, note a one and halve it.
pub(crate) fn log2(x: u128) -> i64 {
    let Some(exponent) = x.checked_ilog2() else {
        return 0;
    };
    let mut mantissa = if exponent >= 63 {
        x >> (exponent - 63)
    } else {
        x << (63 - exponent)
    };
    let mut log = i64::from(exponent);
    for _ in 0..LOG_BITS {
        mantissa = (mantissa * mantissa) >> 63;
        log <<= 1;
        if mantissa >= 1 << 64 {
            mantissa >>= 1;
            log |= 1;
        }
    }
    log
}

/// The logarithm of `over / under`, rounded down: never more than the true one, at most four units less.
pub(crate) fn log2_ratio(over: u128, under: u128) -> i64 {
    log2(over) - log2(under) - 2
}

/// Two to the power of a `log` that is not above zero, rounded down.
pub(crate) fn exp2(log: i64) -> u64 {
    let places = u32::try_from(-(log >> LOG_BITS)).unwrap_or(if log < 0 { u32::MAX } else { 0 });
    let fraction = (log & (LOG_ONE - 1)).cast_unsigned();
    let mut factor = u128::from(FACTOR_ONE);
    for (index, root) in ROOTS.iter().enumerate() {
        if (fraction >> (LOG_BITS as usize - 1 - index)) & 1 == 1 {
            factor = (factor * u128::from(*root)) >> 63;
        }
    }
    u64::try_from(factor.checked_shr(places).unwrap_or(0)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_right_and_never_too_large() {
        for x in [
            1_u128,
            2,
            3,
            5,
            10,
            999,
            1 << 40,
            (1 << 90) + 12_345,
            u128::MAX,
        ] {
            let exact = (x as f64).log2() * LOG_ONE as f64;
            assert!(
                (log2(x) as f64 - exact).abs() < 1e5,
                "{x}: {} {exact}",
                log2(x)
            );
        }
        assert_eq!(log2(8), 3 * LOG_ONE);
        // log2(3), OEIS A020857, to 32 binary places, rounded down.
        assert_eq!(log2(3), 6_807_362_105);
    }

    #[test]
    fn powers_undo_logarithms() {
        for x in [1_u128, 3, 7, 1_000, 123_456_789] {
            let factor = exp2(-log2(x));
            let back = u128::from(factor) * x;
            assert!(back.abs_diff(1 << 63) < 1 << 34, "{x}");
        }
        assert_eq!(
            (exp2(0), exp2(-LOG_ONE), exp2(-64 * LOG_ONE), exp2(i64::MIN)),
            (1 << 63, 1 << 62, 0, 0)
        );
    }
}
