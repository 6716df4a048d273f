//! List prices: what stays after `down` goes on costing.

mod keeps;

pub(super) use keeps::keeps;

/// Hours in a month, as AWS counts them.
const HOURS: f64 = 730.0;

/// The price of something in US dollars (us-east-1, without taxes and discounts), by its key in `rates.tsv`.
fn rate(key: &str) -> Option<f64> {
    let rows = include_str!("rates.tsv").lines().filter(|line| !line.starts_with('#'));
    let mut fields = rows.map(|line| line.split('\t')).find(|fields| fields.clone().next() == Some(key))?;
    fields.nth(2)?.parse().ok()
}

/// What a GiB of snapshots costs a month: `$0.05 a GiB`. Backups of FSx cost the same.
pub fn snapshot_rate() -> Option<String> {
    rate("ebs_snapshot").map(|usd| format!("${usd} a GiB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_price_and_a_source() {
        for line in include_str!("rates.tsv").lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            assert_eq!(fields.len(), 5, "{line}");
            assert!(rate(fields[0]).is_some_and(|usd| usd > 0.0), "{line}");
            assert!(fields[3].starts_with("https://"), "{line}");
        }
        assert_eq!(rate("gold"), None);
        assert_eq!(rate("ebs_snapshot"), rate("fsx_openzfs_backup"), "one price is given for both");
    }
}
