//! Ranges of IPv4 addresses.

/// The two halves of a range, in its own spelling. A range that is none is handed back twice; `check` refuses it first.
pub fn halves(cidr: &str) -> [String; 2] {
    let Some((base, bits)) = parse(cidr).filter(|(_, bits)| *bits < 32) else {
        return [cidr.to_owned(), cidr.to_owned()];
    };
    let second = base | 1 << (31 - bits);
    [base, second].map(|address| {
        let [a, b, c, d] = address.to_be_bytes();
        format!("{a}.{b}.{c}.{d}/{}", bits + 1)
    })
}

/// A range as its first address and the length of its prefix.
fn parse(cidr: &str) -> Option<(u32, u32)> {
    let (address, bits) = cidr.split_once('/')?;
    let octets: Vec<u8> = address.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    let address = u32::from_be_bytes(octets.try_into().ok()?);
    let bits = bits.parse::<u32>().ok().filter(|bits| *bits <= 32)?;
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    Some((address & mask, bits))
}

#[cfg(test)]
mod tests {
    use super::halves;

    #[test]
    fn a_range_has_two_halves() {
        assert_eq!(halves("10.0.0.0/16"), ["10.0.0.0/17", "10.0.128.0/17"]);
        assert_eq!(halves("172.31.7.9/20"), ["172.31.0.0/21", "172.31.8.0/21"]);
        assert_eq!(halves("0.0.0.0/0"), ["0.0.0.0/1", "128.0.0.0/1"]);
        assert_eq!(halves("10.0.0.1/32"), ["10.0.0.1/32", "10.0.0.1/32"]);
    }
}
