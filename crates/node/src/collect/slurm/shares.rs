//! Shares, as `sshare -P` has them: a line for each account, and for each user within it.

use std::collections::BTreeMap;

use trainyard_plan::metrics::slurm as m;

use super::put_unread;
use crate::format::label;
use crate::sheet::{Labels, Sheet};

/// What `sshare -o` is asked for.
pub(super) const FORMAT: &str = "Account,User,RawShares,NormShares,RawUsage,NormUsage,FairShare";

/// The most that are kept.
const READ_MAX: usize = 20_000;

/// Shares by account and user; an account's own have no user.
#[derive(Default)]
pub(super) struct Shares {
    read: BTreeMap<(Box<str>, Box<str>), Share>,
    left_out: u64,
    unread: u64,
}

struct Share {
    raw: Option<f64>,
    norm: Option<f64>,
    usage: Option<f64>,
    norm_usage: Option<f64>,
    fair: Option<f64>,
}

impl Shares {
    /// One line. A field that is empty, or is `parent`, is not known.
    pub(super) fn line(&mut self, line: &str) {
        let mut fields = line.split('|').map(str::trim);
        let (Some(account), Some(user), Some(raw)) = (fields.next(), fields.next(), fields.next()) else {
            self.unread += u64::from(!line.trim().is_empty());
            return;
        };
        if account.is_empty() {
            self.unread += 1;
            return;
        }
        let number = |text: &str| text.parse().ok().filter(|number: &f64| number.is_finite());
        let mut next = || fields.next().and_then(number);
        let share = Share { raw: number(raw), norm: next(), usage: next(), norm_usage: next(), fair: next() };
        if self.read.len() >= READ_MAX {
            self.left_out += 1;
            return;
        }
        // A user may have one more line for each partition; the first is that of all.
        self.read.entry((label(account).into(), label(user).into())).or_insert(share);
    }

    /// All of it.
    pub(super) fn put(&self, sheet: &mut Sheet, names: usize) {
        put_unread(sheet, "shares", self.unread);
        let (mut accounts, mut users): (Vec<_>, Vec<_>) = self.read.iter().partition(|((_, user), _)| user.is_empty());
        // A share of many is no sum: the greatest by use are shown, and the rest is not.
        let mut left_out = self.left_out;
        for list in [&mut accounts, &mut users] {
            list.sort_by(|(_, a), (_, b)| b.usage.unwrap_or(0.0).total_cmp(&a.usage.unwrap_or(0.0)));
            left_out += list.len().saturating_sub(names) as u64;
            list.truncate(names);
        }
        sheet.put(&m::slurm_names_merged, &["share"], left_out);
        for ((account, _), share) in accounts {
            let labels = Labels::new(&[("account", account)]);
            sheet.put_known(&m::slurm_account_fairshare, &labels, share.fair);
            sheet.put_known(&m::slurm_account_fairshare_raw_shares, &labels, share.raw);
            sheet.put_known(&m::slurm_account_fairshare_norm_shares, &labels, share.norm);
            sheet.put_known(&m::slurm_account_fairshare_norm_usage, &labels, share.norm_usage);
            sheet.put_known(&m::slurm_account_fairshare_raw_usage_cpu_seconds, &labels, share.usage);
        }
        for ((account, user), share) in users {
            let labels = Labels::new(&[("account", account), ("user", user)]);
            sheet.put_known(&m::slurm_user_fairshare, &labels, share.fair);
            sheet.put_known(&m::slurm_user_fairshare_norm_shares, &labels, share.norm);
            sheet.put_known(&m::slurm_user_fairshare_norm_usage, &labels, share.norm_usage);
            sheet.put_known(&m::slurm_user_fairshare_raw_usage_cpu_seconds, &labels, share.usage);
        }
    }
}
