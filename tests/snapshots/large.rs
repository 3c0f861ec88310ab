//! Memory with large sites. Takes minutes, so only by hand, with the figure printed:
//! `cargo nextest run --run-ignored all -E 'test(large::memory)' --no-capture`

use super::children::{peak_kib, say_peak};
use super::*;

const MOST_KIB: u64 = 100 << 10;

#[test]
#[ignore = "takes minutes"]
fn memory_stays_below_100_mib() {
    let peak = peak_kib("large::five_gigabytes");
    println!("at most {} MiB", peak >> 10);
    assert!(peak < MOST_KIB, "{peak} KiB");
}

/// One file of 4 GiB, 25,000 small ones, and a gigabyte in between: captured, damaged, restored.
#[tokio::test]
#[ignore = "run by memory_stays_below_100_mib"]
async fn five_gigabytes() {
    let place = Place::new();
    sh(
        &place.root,
        r#"truncate -s 4G one; for i in $(seq 0 40 1000); do
            head -c 300000 /dev/urandom | dd of=one bs=4M seek=$i conv=notrunc status=none; done
        for i in $(seq 10); do truncate -s 100M media$i; head -c 2000000 /dev/urandom >> media$i; done
        for i in $(seq 100); do mkdir -p code/$i; for j in $(seq 250); do echo "$i $j" > code/$i/file-number-$j.php; done; done"#,
    );
    let before = place.picture();
    let first = place.capture().await.unwrap();
    sh(&place.root, "rm -r code/1* media1; printf more >> one; touch code/2/*");
    place.restore(&first, Vec::new(), &[]).await.unwrap();
    assert_eq!(place.picture(), before);
    say_peak();
}
