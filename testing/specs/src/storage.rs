//! Random storage: every kind of file system, new and already there.

use serde_json::{Map, Value, json};

use crate::aws::{Draft, maybe};

impl Draft {
    pub fn storage(&mut self) -> Value {
        let mut map = Map::new();
        maybe!(self, map, 85, "shared", self.shared());
        maybe!(self, map, 75, "home", self.home());
        maybe!(self, map, 30, "scratch", json!({ "enabled": self.dice.chance(50), "path": "/local" }));
        maybe!(self, map, 35, "data_bucket", self.data_bucket());
        maybe!(self, map, 35, "mounts", self.mounts());
        map.into()
    }

    fn data_bucket(&mut self) -> Value {
        let mut map = Map::new();
        map.insert("name".into(), format!("bucket-{}", self.dice.hex(12)).into());
        maybe!(self, map, 25, "existing", true.into());
        maybe!(self, map, 40, "path", "/sets/all".into());
        maybe!(self, map, 25, "import", false.into());
        maybe!(self, map, 25, "export", false.into());
        map.into()
    }

    fn shared(&mut self) -> Value {
        match self.dice.between(0, 9) {
            0 => json!({ "kind": "none" }),
            1 => json!({ "kind": "existing", "id": self.id("fs") }),
            2 => {
                json!({ "kind": "lustre", "deployment": "persistent2", "size_gib": 38400, "throughput_mb_s_per_tib": 125, "efa": true })
            }
            _ => self.lustre(),
        }
    }

    fn lustre(&mut self) -> Value {
        let mut map = Map::new();
        map.insert("kind".into(), "lustre".into());
        let deployment = *self.dice.pick(&["auto", "persistent1", "persistent2", "scratch2"]);
        map.insert("deployment".into(), deployment.into());
        map.insert("size_gib".into(), (*self.dice.pick(&[1200, 2400, 4800, 9600, 24000])).into());
        maybe!(self, map, 40, "compression", "none".into());
        let speeds: &[u32] = match deployment {
            "persistent1" => &[50, 100, 200],
            "scratch2" => &[],
            _ => &[125, 250, 500, 1000],
        };
        if !speeds.is_empty() && self.dice.chance(50) {
            map.insert("throughput_mb_s_per_tib".into(), (*self.dice.pick(speeds)).into());
        }
        if speeds.len() == 4 {
            maybe!(self, map, 30, "metadata_iops", (*self.dice.pick(&[1500, 3000, 6000, 12000, 24000])).into());
        }
        map.into()
    }

    fn home(&mut self) -> Value {
        match self.dice.between(0, 9) {
            0 => json!({ "kind": "ephemeral" }),
            1 => json!({ "kind": "existing", "id": self.id("fsvol") }),
            2..=5 => json!({ "kind": "volume", "size_gib": self.dice.between(10, 4000) }),
            _ => {
                let is_multi = self.dice.chance(40);
                let speed =
                    if is_multi { *self.dice.pick(&[160, 320, 640]) } else { *self.dice.pick(&[160, 320, 1280]) };
                json!({ "kind": "openzfs", "size_gib": self.dice.between(64, 9000), "throughput_mb_s": speed, "multi_zone": is_multi })
            }
        }
    }

    fn mounts(&mut self) -> Value {
        let kinds = ["efs", "volume", "lustre", "openzfs", "ontap", "file_cache"];
        let mounts: Vec<Value> = (0..self.dice.between(1, 3))
            .map(|number| {
                let kind = *self.dice.pick(&kinds);
                let id = match kind {
                    "efs" | "lustre" => self.id("fs"),
                    "volume" => self.id("vol"),
                    "file_cache" => self.id("fc"),
                    _ => self.id("fsvol"),
                };
                json!({ "kind": kind, "path": format!("/shared/{number}"), "id": id })
            })
            .collect();
        mounts.into()
    }
}
