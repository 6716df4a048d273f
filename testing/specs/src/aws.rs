//! Random specs for AWS: every field, in combinations that belong together.

use serde_json::{Map, Value, json};

use crate::dice::Dice;

/// A spec that is accepted; where one is not, the next takes its place.
pub fn accepted(seed: u64) -> String {
    let drawn = (0..50).map(|step| draw(seed.wrapping_add(step * 7919)));
    drawn.into_iter().find(|text| is_accepted(text)).unwrap_or_default()
}

pub fn is_accepted(text: &str) -> bool {
    trainyard_spec::check(text).0.is_some()
}

/// A region with two of its zones, and instance types that all of them offer in the first.
pub(crate) struct Site {
    pub region: &'static str,
    pub zones: [&'static str; 2],
    pub accelerated: &'static [&'static str],
}

static SITES: &[Site] = &[
    Site {
        region: "us-east-2",
        zones: ["us-east-2b", "us-east-2c"],
        accelerated: &[
            "p4d.24xlarge",
            "p5.48xlarge",
            "p5e.48xlarge",
            "p5en.48xlarge",
            "p6-b200.48xlarge",
            "trn2.48xlarge",
            "g6e.12xlarge",
            "g5.12xlarge",
        ],
    },
    Site {
        region: "us-east-1",
        zones: ["us-east-1c", "us-east-1a"],
        accelerated: &[
            "p4de.24xlarge",
            "p5.48xlarge",
            "p5.4xlarge",
            "p5en.48xlarge",
            "p6-b300.48xlarge",
            "trn1.32xlarge",
            "g6.12xlarge",
        ],
    },
    Site {
        region: "us-west-2",
        zones: ["us-west-2b", "us-west-2a"],
        accelerated: &[
            "p4d.24xlarge",
            "p5.48xlarge",
            "p6-b200.48xlarge",
            "p6-b300.48xlarge",
            "trn1.32xlarge",
            "g4dn.12xlarge",
            "g5.2xlarge",
        ],
    },
];

/// One spec under construction.
pub(crate) struct Draft {
    pub dice: Dice,
    pub site: &'static Site,
    pub is_arm: bool,
    pub has_network: bool,
    pub has_two_zones: bool,
}

/// A spec, mostly one that is accepted.
pub fn draw(seed: u64) -> String {
    let mut dice = Dice::new(seed);
    let site = dice.pick(SITES);
    let (is_arm, has_network, has_two_zones) = (dice.chance(12), dice.chance(20), dice.chance(45));
    let mut draft = Draft { dice, site, is_arm, has_network, has_two_zones };
    serde_json::to_string_pretty(&draft.spec()).unwrap_or_default()
}

/// Sets a field in some throws.
macro_rules! maybe {
    ($draft:ident, $map:ident, $percent:literal, $key:literal, $value:expr) => {
        if $draft.dice.chance($percent) {
            let value: Value = $value;
            $map.insert($key.to_owned(), value);
        }
    };
}

pub(crate) use maybe;

impl Draft {
    fn spec(&mut self) -> Value {
        let letters = ["a", "Train", "my-cluster", "x1", "LLM-2-big", "A-rather-long-name-for-one-cluster-X"];
        let name = format!("{}{}", self.dice.pick(&letters), self.dice.between(0, 999));
        let mut map = Map::new();
        map.insert("version".into(), 1.into());
        map.insert("name".into(), name.into());
        map.insert("provider".into(), "aws".into());
        map.insert("region".into(), self.site.region.into());
        map.insert("network".into(), self.network());
        map.insert("queues".into(), self.queues());
        map.insert("head".into(), self.head());
        map.insert("storage".into(), self.storage());
        maybe!(self, map, 60, "parallelcluster", self.parallelcluster());
        maybe!(self, map, 50, "login", self.login());
        maybe!(self, map, 60, "slurm", self.slurm());
        maybe!(self, map, 50, "setup", self.setup());
        maybe!(self, map, 30, "containers", json!({ "enabled": self.dice.chance(50), "images": "/fsx/images" }));
        maybe!(self, map, 20, "nccl", json!({ "source": "shared", "version": "2.28.7-1" }));
        maybe!(self, map, 80, "monitoring", self.monitoring());
        maybe!(self, map, 70, "access", self.access());
        maybe!(self, map, 25, "timeouts", self.timeouts());
        maybe!(self, map, 40, "tags", self.tags());
        maybe!(self, map, 40, "accounting", self.accounting());
        maybe!(self, map, 30, "directory", self.directory());
        maybe!(
            self,
            map,
            30,
            "budget",
            json!({ "usd_per_month": self.dice.between(1, 99999), "notify": self.addresses() })
        );
        map.into()
    }

    pub fn id(&mut self, prefix: &str) -> Value {
        format!("{prefix}-{}", self.dice.hex(17)).into()
    }

    /// Texts that YAML, CloudFormation or a shell could take for something else.
    fn tags(&mut self) -> Value {
        let values = ["größe", "1: x", "yes", "1:30", "0x1f", "012", "-", "a/b@c", "2026-11-21", "1e3", "=1+1", "No"];
        let count = self.dice.between(1, 6);
        (0..count).map(|number| (format!("key {number}"), Value::from(*self.dice.pick(&values)))).collect()
    }

    fn addresses(&mut self) -> Value {
        (0..self.dice.between(1, 4)).map(|number| Value::from(format!("alarm-{number}@example.com"))).collect()
    }

    fn ranges(&mut self) -> Value {
        (0..self.dice.between(1, 9))
            .map(|number| Value::from(format!("198.51.{}.{number}/32", self.dice.between(0, 255))))
            .collect()
    }

    fn secret(&mut self, name: &str) -> Value {
        let letters = self.dice.hex(6);
        format!("arn:aws:secretsmanager:{}:111122223333:secret:{name}-{letters}", self.site.region).into()
    }

    fn network(&mut self) -> Value {
        let mut map = Map::new();
        map.insert("zone".into(), self.site.zones[0].into());
        if self.has_two_zones {
            map.insert("second_zone".into(), self.site.zones[1].into());
        }
        if self.has_network {
            map.insert("existing".into(), self.existing_network());
        } else {
            maybe!(
                self,
                map,
                20,
                "cidr",
                (*self.dice.pick(&["10.20.0.0/16", "10.20.0.0/20", "10.99.128.0/22"])).into()
            );
            maybe!(
                self,
                map,
                20,
                "private_cidr",
                (*self.dice.pick(&["10.30.0.0/16", "10.30.64.0/18", "10.7.0.0/20"])).into()
            );
            maybe!(self, map, 15, "nat", false.into());
            maybe!(self, map, 15, "s3_endpoint", false.into());
            maybe!(self, map, 15, "s3_buckets", json!(["public-data-sets"]));
        }
        maybe!(self, map, 12, "http_proxy", "http://proxy.example.com:3128".into());
        map.into()
    }

    fn existing_network(&mut self) -> Value {
        let subnets: Vec<Value> = (0..5).map(|_| self.id("subnet")).collect();
        let mut map = Map::new();
        map.insert("vpc".into(), self.id("vpc"));
        map.insert("head_subnet".into(), subnets[0].clone());
        let compute = if self.dice.chance(30) { vec![&subnets[0]] } else { vec![&subnets[1]] };
        map.insert("compute_subnets".into(), json!(compute));
        maybe!(self, map, 50, "login_subnet", subnets[2].clone());
        map.insert("service_subnets".into(), json!([subnets[3], subnets[4]]));
        maybe!(self, map, 40, "additional_security_groups", json!([self.id("sg")]));
        map.into()
    }

    fn head(&mut self) -> Value {
        let types: &[&str] = if self.is_arm {
            &["m7g.8xlarge", "m6g.8xlarge"]
        } else {
            &["m5.8xlarge", "m6i.8xlarge", "c6i.16xlarge", "r6i.4xlarge"]
        };
        let instance = *self.dice.pick(types);
        let mut map = Map::new();
        map.insert("instance".into(), instance.into());
        let is_public = !self.has_network && self.dice.chance(20);
        if is_public {
            map.insert("subnet".into(), "public".into());
        }
        if is_public && self.dice.chance(50) {
            map.insert("elastic_ip".into(), true.into());
        }
        maybe!(self, map, 40, "root_volume_gib", self.dice.between(60, 1000).into());
        maybe!(self, map, 20, "root_volume_speed", self.speed());
        if !self.is_arm {
            maybe!(self, map, 20, "hyperthreads", (*self.dice.pick(&["enabled", "disabled"])).into());
        }
        maybe!(self, map, 10, "image", self.id("ami"));
        maybe!(self, map, 15, "dcv", true.into());
        map.into()
    }

    pub fn speed(&mut self) -> Value {
        let iops = self.dice.between(3000, 16000);
        json!({ "iops": iops, "mb_s": self.dice.between(125, (iops / 4).min(1000)) })
    }

    fn login(&mut self) -> Value {
        let types: &[&str] =
            if self.is_arm { &["m7g.large", "c7g.xlarge"] } else { &["m5.large", "m6i.xlarge", "g5.xlarge"] };
        let pools: Vec<Value> = (0..self.dice.between(1, 3))
            .map(|number| {
                let mut map = Map::new();
                map.insert("name".into(), format!("pool-{number}").into());
                map.insert("instance".into(), (*self.dice.pick(types)).into());
                maybe!(self, map, 60, "count", self.dice.between(1, 5).into());
                maybe!(self, map, 20, "subnet", "public".into());
                maybe!(self, map, 30, "grace_minutes", self.dice.between(3, 120).into());
                maybe!(self, map, 10, "image", self.id("ami"));
                maybe!(self, map, 15, "dcv", true.into());
                map.into()
            })
            .collect();
        pools.into()
    }

    fn parallelcluster(&mut self) -> Value {
        let mut map = Map::new();
        maybe!(self, map, 10, "version", "3.16.0".into());
        maybe!(
            self,
            map,
            70,
            "os",
            (*self.dice.pick(&["ubuntu2204", "ubuntu2404", "alinux2023", "rhel9", "rhel8"])).into()
        );
        maybe!(self, map, 20, "engine", "cli".into());
        map.into()
    }

    fn slurm(&mut self) -> Value {
        let mut map = Map::new();
        maybe!(self, map, 50, "idle_minutes", (i64::from(self.dice.between(0, 120)) - 1).into());
        maybe!(self, map, 50, "queue_update", (*self.dice.pick(&["terminate", "compute_fleet_stop"])).into());
        maybe!(self, map, 50, "memory_scheduling", true.into());
        maybe!(self, map, 50, "kill_wait_seconds", self.dice.between(5, 600).into());
        maybe!(self, map, 50, "slurmd_timeout_seconds", self.dice.between(10, 600).into());
        maybe!(self, map, 30, "scaling", (*self.dice.pick(&["greedy_all_or_nothing", "best_effort"])).into());
        maybe!(self, map, 15, "munge_key_secret", self.secret("munge"));
        maybe!(
            self,
            map,
            40,
            "settings",
            json!({ "MaxArraySize": 5000, "EnforcePartLimits": "ALL", "DebugFlags": "Power" })
        );
        map.into()
    }

    fn setup(&mut self) -> Value {
        let mut map = Map::new();
        maybe!(self, map, 50, "compute", (*self.dice.pick(&["gpu", "cpu", "minimal"])).into());
        maybe!(self, map, 20, "head", false.into());
        maybe!(self, map, 20, "login", false.into());
        maybe!(self, map, 20, "files", "./node-files".into());
        maybe!(self, map, 50, "scripts", self.scripts());
        map.into()
    }

    fn scripts(&mut self) -> Value {
        let scripts: Vec<Value> = (0..self.dice.between(1, 3))
            .map(|number| {
                let mut map = Map::new();
                let nodes = *self.dice.pick(&["head", "compute", "login"]);
                map.insert("nodes".into(), nodes.into());
                let place = *self.dice.pick(&["s3://my-scripts", "./node-files"]);
                map.insert("script".into(), format!("{place}/{number}/setup.sh").into());
                if nodes == "compute" {
                    maybe!(self, map, 50, "queue", "q0".into());
                }
                maybe!(self, map, 40, "when", "started".into());
                maybe!(self, map, 40, "args", json!(["--level", "3", "a b"]));
                maybe!(self, map, 40, "seconds", self.dice.between(1, 300).into());
                map.into()
            })
            .collect();
        scripts.into()
    }

    fn monitoring(&mut self) -> Value {
        let mut map = Map::new();
        let mode = *self.dice.pick(&["none", "amp", "amp_amg", "self_hosted"]);
        map.insert("mode".into(), mode.into());
        if mode == "amp" || mode == "amp_amg" {
            maybe!(self, map, 30, "amp_workspace", "ws-12345678-90ab-cdef-1234-567890abcdef".into());
        }
        if mode == "amp_amg" {
            maybe!(self, map, 40, "amg_workspace", "g-0123456789".into());
        }
        if mode == "self_hosted" {
            let arn = format!(
                "arn:aws:acm:{}:111122223333:certificate/12345678-90ab-cdef-1234-567890abcdef",
                self.site.region
            );
            map.insert("certificate".into(), arn.into());
        }
        maybe!(self, map, 20, "interval_seconds", self.dice.between(5, 300).into());
        maybe!(self, map, 30, "log_days", (*self.dice.pick(&[1, 7, 14, 90, 365, 3653])).into());
        maybe!(self, map, 15, "logs", false.into());
        maybe!(self, map, 15, "cloudwatch_dashboard", false.into());
        maybe!(self, map, 15, "detailed", true.into());
        map.into()
    }

    fn access(&mut self) -> Value {
        let mut map = Map::new();
        if self.dice.chance(15) {
            map.insert("cidrs".into(), json!(["0.0.0.0/0"]));
            map.insert("open_to_the_world".into(), true.into());
        } else {
            maybe!(self, map, 50, "cidrs", self.ranges());
        }
        maybe!(self, map, 40, "key", "my key".into());
        maybe!(self, map, 20, "ssm", false.into());
        maybe!(self, map, 20, "instance_connect", false.into());
        map.into()
    }

    fn timeouts(&mut self) -> Value {
        let compute = self.dice.between(300, 2700);
        json!({ "head_seconds": self.dice.between(1600, 3000), "compute_seconds": compute })
    }

    fn accounting(&mut self) -> Value {
        if self.dice.chance(50) {
            let mut map = Map::new();
            map.insert("kind".into(), "new".into());
            maybe!(self, map, 50, "min_acu", self.dice.between(2, 4).into());
            maybe!(self, map, 50, "max_acu", self.dice.between(5, 64).into());
            return map.into();
        }
        json!({ "kind": "existing", "uri": "db.example.com:3306", "user": "slurm", "password_secret": self.secret("db") })
    }

    fn directory(&mut self) -> Value {
        let mut map = Map::new();
        if self.dice.chance(30) {
            let region = self.site.region;
            let arn = format!("arn:aws:acm:{region}:111122223333:certificate/12345678-90ab-cdef-1234-567890abcdef");
            map.insert("kind".into(), "new".into());
            map.insert("domain".into(), "corp.example.com".into());
            map.insert("certificate".into(), arn.into());
            maybe!(self, map, 50, "access_filter", "memberOf=cn=hpc,ou=groups,dc=example,dc=com".into());
            return map.into();
        }
        map.insert("kind".into(), "existing".into());
        map.insert("domain".into(), (*self.dice.pick(&["dc=example,dc=com", "corp.example.com"])).into());
        map.insert("address".into(), "ldaps://ldap.example.com".into());
        map.insert("password_secret".into(), self.secret("ldap"));
        map.insert("read_only_user".into(), "cn=reader,dc=example,dc=com".into());
        maybe!(self, map, 50, "ca_certificate", "/etc/openldap/cacerts/ca.crt".into());
        maybe!(self, map, 50, "access_filter", "memberOf=cn=hpc,ou=groups,dc=example,dc=com".into());
        map.into()
    }
}
