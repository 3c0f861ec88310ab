//! Hosts that can't be logged in to: what is said, and with which exit code.

use crate::support::{Environment, Testbed};

#[test]
fn every_failure_comes_with_advice() {
    let bed = Testbed::up(&["--plain"]);
    let shop = Environment::new(&bed, "");
    let config = std::fs::read_to_string(bed.described["ssh_config"].as_str().unwrap()).unwrap();
    let known = bed.described["known_hosts"].as_str().unwrap();
    let key = bed.described["key"].as_str().unwrap();
    let port = format!("Port {}", bed.described["ssh_port"]);
    let address = bed.described["address"].as_str().unwrap();
    for file in ["host", "client"] {
        let file = shop.path(file);
        let made =
            std::process::Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&file).status();
        assert!(made.unwrap().success(), "a key is made");
    }
    let public = std::fs::read_to_string(shop.path("host.pub")).unwrap();
    std::fs::write(shop.path("changed"), format!("[{address}]:{} {public}", bed.described["ssh_port"])).unwrap();
    std::fs::write(shop.path("empty"), "").unwrap();
    let here = |name: &str| shop.path(name).display().to_string();
    let name = format!("HostName {address}");
    for (what, from, to, advice) in [
        ("an unknown host key", known, here("empty"), "compare the host's key fingerprint"),
        ("a changed host key", known, here("changed"), "do not go on until the host's owner has confirmed"),
        ("a refused key", key, here("client"), "check the user name, and that a key"),
        ("a port where nobody listens", &port, "Port 1".into(), "check that the host is up"),
        ("a name that leads nowhere", &name, "HostName nowhere.invalid".into(), "check the host's name"),
    ] {
        assert!(config.contains(from), "the testbed's ssh_config holds {from}");
        std::fs::write(shop.path("ssh_config"), config.replace(from, &to)).unwrap();
        let host = format!("{{ ssh: site, ssh-config: {}, path: {} }}", here("ssh_config"), bed.docroot);
        shop.plan_at(&bed, &host, "");
        shop.intendant(&["preview", "shop"]).ended(4, &format!("preview with {what}")).said(advice);
        shop.intendant(&["run", "shop"]).ended(11, &format!("run with {what}")).said(advice);
        shop.intendant(&["doctor", "shop"]).ended(6, &format!("doctor with {what}")).said(advice);
    }
}
