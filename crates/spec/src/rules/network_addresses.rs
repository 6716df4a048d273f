//! Ranges of addresses that a new VPC cannot have.

use super::{Rule, Scope};
use crate::model::Cidr;
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "network-addresses",
    summary: "A new VPC's two ranges are /16 to /24, do not overlap, and are of one private range",
    explain: "EC2 allows ranges of /16 to /28 in a VPC; here each side may be cut in two for a second zone, and below /24 too \
              few addresses would be left for nodes. The two ranges must not overlap. EC2 also refuses to mix the private \
              ranges 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16 in one VPC, and to add one of them to a VPC with public \
              addresses. In an existing network none of this is made.",
    scope: Scope::Aws,
    check,
};

/// The private ranges that EC2 does not mix.
static PRIVATE: &[Range] = &[
    Range { first: 0x0a00_0000, length: 8 },
    Range { first: 0xac10_0000, length: 12 },
    Range { first: 0xc0a8_0000, length: 16 },
    Range { first: 0xc613_0000, length: 16 },
];

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let network = &spec.network;
    if network.existing.is_some() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (key, cidr) in [("cidr", &network.cidr), ("private_cidr", &network.private_cidr)] {
        let Some(asked) = Range::of(cidr) else { continue };
        let finding = |what: String| Diagnostic::error(RULE.code, path!["network", key], what);
        let range = Range { first: asked.first & asked.mask(), ..asked };
        if !(16..=24).contains(&asked.length) {
            let what = format!("`{cidr}` is not between /16 and /24");
            found.push(finding(what).fix("use a range of /16 to /24, for example `10.0.0.0/16`"));
        } else if range.first != asked.first {
            let what = format!("`{cidr}` begins in the middle of its range");
            found.push(finding(what).replace(format!("write `{range}`"), range.to_string()));
        }
    }
    let (Some(public), Some(private)) = (Range::of(&network.cidr), Range::of(&network.private_cidr)) else {
        return found;
    };
    let at = path!["network", "private_cidr"];
    if public.holds(private) || private.holds(public) {
        let what = format!("`{}` and `{}` overlap", network.cidr, network.private_cidr);
        found.push(Diagnostic::error(RULE.code, at, what).fix("use two ranges that lie beside each other"));
    } else if private.block().is_some() && private.block() != public.block() {
        let what = format!("EC2 does not add `{}` to a VPC of `{}`", network.private_cidr, network.cidr);
        let fix = "take both from one of 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16";
        found.push(Diagnostic::error(RULE.code, at, what).fix(fix));
    }
    found
}

/// A range of IPv4 addresses.
#[derive(Clone, Copy)]
struct Range {
    first: u32,
    length: u32,
}

impl Range {
    fn of(cidr: &Cidr) -> Option<Self> {
        let (address, length) = cidr.as_str().split_once('/')?;
        let byte = |sum: u32, part: &str| Some(sum << 8 | u32::from(part.parse::<u8>().ok()?));
        let first = address.split('.').try_fold(0, byte)?;
        Some(Self { first, length: length.parse().ok().filter(|length| *length <= 32)? })
    }

    fn mask(self) -> u32 {
        u32::MAX.checked_shl(32 - self.length).unwrap_or(0)
    }

    fn holds(self, other: Self) -> bool {
        self.length <= other.length && (self.first ^ other.first) & self.mask() == 0
    }

    /// Which of the private ranges it lies in.
    fn block(self) -> Option<usize> {
        PRIVATE.iter().position(|block| block.holds(self))
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.first.to_be_bytes().map(|byte| byte.to_string());
        write!(f, "{}/{}", bytes.join("."), self.length)
    }
}

/// A range's address as it is written, and the length of its prefix.
pub(super) fn parts(cidr: &Cidr) -> Option<(u32, u32)> {
    let (address, length) = cidr.as_str().split_once('/')?;
    let byte = |sum: u32, part: &str| Some(sum << 8 | u32::from(part.parse::<u8>().ok()?));
    Some((address.split('.').try_fold(0, byte)?, length.parse().ok()?))
}
