//! One set of rules, held by both directories.

use std::time::Duration;

use super::*;

fn at(seconds: u64) -> Wall {
    Wall(Duration::from_secs(seconds))
}

fn file(name: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("homing-directory-{}-{name}.sqlite", std::process::id()));
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    path
}

fn both(name: &str, check: impl Fn(&mut dyn Directory)) {
    check(&mut MemoryDirectory::new());
    check(&mut SqliteDirectory::open(&file(name)).unwrap());
}

#[test]
fn para_38_versions_count_up_per_user_and_service_and_keep_who_why_when() {
    both("versions", |directory| {
        let alice = Key::rtc("Alice@Network.com");
        let other = Key::new("alice@network.com", "conference");
        directory.assign(&Change::new(alice.clone(), "HS104.network.com", "ann", "hired", at(1))).unwrap();
        directory.assign(&Change::new(other.clone(), "hs102.network.com", "ann", "hired", at(2))).unwrap();
        let moved = directory.assign(&Change::new(alice.clone(), "hs102.network.com", "bob", "drain", at(3)));
        assert_eq!(moved.unwrap().version, 2);
        let now = directory.look_up(&alice).unwrap().unwrap();
        assert_eq!(
            (now.home.as_str(), now.who.as_str(), now.why.as_str()),
            ("hs102.network.com", "bob", "drain")
        );
        let homes: Vec<String> = directory.history(&alice).unwrap().into_iter().map(|a| a.home).collect();
        assert_eq!(homes, ["hs104.network.com", "hs102.network.com"]);
        assert_eq!(directory.look_up(&other).unwrap().unwrap().version, 1);
        assert_eq!(directory.list().unwrap().len(), 2);
    });
}

#[test]
fn an_optimistic_lock_refuses_what_was_based_on_an_old_version() {
    both("lock", |directory| {
        let change = Change::new(Key::rtc("a@b.c"), "hs1", "x", "y", at(1));
        assert_eq!(
            directory.assign(&change.clone().based_on(1)),
            Err(DirectoryError::Conflict { expected: 1, found: 0 })
        );
        assert!(directory.look_up(&change.key).unwrap().is_none(), "a refused change leaves nothing");
        directory.assign(&change.clone().based_on(0)).unwrap();
        assert_eq!(
            directory.assign(&change.clone().based_on(0)),
            Err(DirectoryError::Conflict { expected: 0, found: 1 })
        );
        assert_eq!(directory.history(&change.key).unwrap().len(), 1);
    });
}

#[test]
fn unknown_users_are_rejected_hashed_or_put_on_the_least_loaded() {
    both("placement", |directory| {
        let homes: Vec<String> = ["hs102", "hs104"].map(String::from).to_vec();
        let place = |rule| Placement { rule, homes: homes.clone() };
        let key = |n: u32| Key::rtc(&format!("user{n}@b.c"));
        assert_eq!(place(UnknownUser::Reject).find(directory, &key(0), at(1)), Ok(Lookup::Unknown));
        for n in 1..=4 {
            place(UnknownUser::LeastLoaded).find(directory, &key(n), at(1)).unwrap();
        }
        let load = |home: &str, all: &[(Key, Assignment)]| all.iter().filter(|(_, a)| a.home == home).count();
        let all = directory.list().unwrap();
        assert_eq!((load("hs102", &all), load("hs104", &all)), (2, 2));
        let first = place(UnknownUser::Hash).find(directory, &key(9), at(1)).unwrap();
        assert_eq!(place(UnknownUser::Hash).find(directory, &key(9), at(2)).unwrap(), first);
    });
}

/// These servers are homes; users without an assignment are unknown.
fn homes(names: &[&str]) -> Placement {
    Placement { rule: UnknownUser::Reject, homes: names.iter().map(|name| (*name).to_owned()).collect() }
}

#[tokio::test]
async fn nobody_is_assigned_to_a_server_that_is_no_home() {
    let (memory, path) = (MemoryDirectory::new(), file("homes"));
    let file = DirectoryHandle::file(&path, homes(&["hs1"])).unwrap();
    for directory in [DirectoryHandle::memory(memory, homes(&["hs1"])), file] {
        let key = Key::rtc("a@b.c");
        let change = |home| Change::new(key.clone(), home, "x", "y", at(1));
        let refused = directory.assign(change("lb")).await;
        assert_eq!(refused, Err(DirectoryError::NotAHome("lb".to_owned())));
        assert!(directory.history(key.clone()).await.unwrap().is_empty(), "a refused change leaves nothing");
        directory.assign(change("HS1")).await.unwrap();
    }
}

#[test]
fn another_process_sees_which_users_changed() {
    let path = file("watch");
    let mut ours = SqliteDirectory::open(&path).unwrap();
    let mut theirs = SqliteDirectory::open(&path).unwrap();
    assert!(ours.changed_since().unwrap().is_empty());
    theirs.assign(&Change::new(Key::rtc("a@b.c"), "hs1", "x", "y", at(1))).unwrap();
    assert_eq!(ours.changed_since().unwrap(), [Key::rtc("a@b.c")]);
    assert!(ours.changed_since().unwrap().is_empty());
    ours.assign(&Change::new(Key::rtc("d@b.c"), "hs1", "x", "y", at(1))).unwrap();
    assert_eq!(ours.changed_since().unwrap(), [Key::rtc("d@b.c")], "its own changes too");
}

#[tokio::test]
async fn a_file_answers_later_once_and_then_in_the_same_turn_until_it_changes() {
    let path = file("handle");
    let directory = DirectoryHandle::file(&path, homes(&["hs1", "hs2"])).unwrap();
    let key = Key::rtc("a@b.c");
    let change = |home| Change::new(Key::rtc("a@b.c"), home, "x", "y", at(1));
    directory.assign(change("hs1")).await.unwrap();
    assert_eq!(directory.find_now(&key, at(1)), None);
    let home = |home: &str, version| Lookup::Home { home: home.to_owned(), version };
    assert_eq!(directory.find(key.clone(), at(1)).await, home("hs1", 1));
    assert_eq!(directory.find_now(&key, at(1)), Some(home("hs1", 1)));
    directory.assign(change("hs2")).await.unwrap();
    assert_eq!(directory.find_now(&key, at(1)), None, "a change reaches the snapshot before its caller");
    assert_eq!(directory.find(key, at(1)).await, home("hs2", 2));
}

#[tokio::test]
async fn a_change_by_another_process_is_seen_within_the_lease() {
    let path = file("seen");
    let placement = || homes(&["hs104.network.com"]);
    let ours = DirectoryHandle::file(&path, placement()).unwrap();
    let theirs = DirectoryHandle::file(&path, placement()).unwrap();
    let mut watch = ours.watch();
    let key = Key::rtc("alice@network.com");
    let change = Change::new(key.clone(), "hs104.network.com", "operator", "hired", Wall(Duration::ZERO));
    theirs.assign(change.clone()).await.unwrap();
    let seen = tokio::time::timeout(Duration::from_secs(1), watch.next()).await;
    assert_eq!(seen.unwrap(), Some(Changed::One(key.clone())));
    ours.assign(change).await.unwrap();
    assert_eq!(watch.next().await, Some(Changed::One(key)), "one's own changes are seen too");
}

#[tokio::test]
async fn a_watcher_that_is_far_behind_is_told_that_anything_may_have_changed() {
    let directory = DirectoryHandle::memory(MemoryDirectory::new(), homes(&["hs104.network.com"]));
    let mut watch = directory.watch();
    for number in 0..3_000 {
        let key = Key::rtc(&format!("u{number}@network.com"));
        let change = Change::new(key, "hs104.network.com", "operator", "hired", Wall(Duration::ZERO));
        directory.assign(change).await.unwrap();
    }
    assert_eq!(watch.next().await, Some(Changed::Any));
    assert!(matches!(watch.next().await, Some(Changed::One(_))));
}
