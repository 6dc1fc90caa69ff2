//! The way to the database: several hosts of which one takes writes, and TLS whose other end is who it says.

use std::net::TcpListener;
use std::process::Command;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder, X509NameRef};

use crate::support::cluster::Cluster;
use crate::support::place::Place;
use crate::support::resources::patient_called;
use crate::support::server::Server;

const WRITES: u32 = 60;

/// The same place, its server reached in another way.
fn elsewhere(place: &Place, change: impl FnOnce(&str) -> String) -> Server {
    let url = change(&place.argument());
    Server::start_at(Place::folder(), |settings| settings.store = url.parse().unwrap())
}

#[test]
#[ignore = "starts two servers of PostgreSQL"]
fn another_server_takes_over_and_nothing_acknowledged_is_lost() {
    let first = Cluster::start(&[]);
    let second = Cluster::follow(&first);
    let mut operator = PgConnection::establish(first.url()).unwrap();
    let synchronous = "ALTER SYSTEM SET synchronous_standby_names = '*'";
    operator.batch_execute(synchronous).unwrap();
    operator.batch_execute("SELECT pg_reload_conf()").unwrap();
    let place = Place::on(&first);
    // The one that only follows is named first: it is passed over.
    let hosts = |url: &str| url.replace(first.host(), &format!("{},{}", second.host(), first.host()));
    let server = elsewhere(&place, hosts);
    let mut acknowledged = Vec::new();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for number in 0..WRITES {
                let id = format!("p{number}");
                let answer = server.put(&format!("/Patient/{id}"), &patient_called(&id));
                assert!(matches!(answer.status, 200 | 201 | 503), "{}", answer.status);
                if answer.status != 503 {
                    acknowledged.push(id);
                }
                if number == WRITES / 3 {
                    first.kill();
                    second.promote();
                }
            }
        });
        writing.join().unwrap();
    });
    assert!(acknowledged.len() > WRITES as usize / 2);
    for id in acknowledged {
        assert_eq!(server.get(&format!("/Patient/{id}")).status, 200, "{id} was acknowledged and is lost");
    }
}

fn carnet() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_carnet"));
    command.env_remove("CARNET_TEST_POSTGRES");
    command
}

/// Who signs certificates, and one signed for `host`, with its key.
struct Authority {
    own: X509,
    key: PKey<Private>,
}

impl Authority {
    fn new(called: &str) -> Self {
        let key = PKey::from_rsa(Rsa::generate(2_048).unwrap()).unwrap();
        let name = name(called);
        let mut builder = certificate(&name, &name, &key);
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self { own: builder.build(), key }
    }

    /// A certificate for `host`, and its key.
    fn certify(&self, host: &str) -> (Vec<u8>, Vec<u8>) {
        let key = PKey::from_rsa(Rsa::generate(2_048).unwrap()).unwrap();
        let mut builder = certificate(&name(host), self.own.subject_name(), &key);
        let names = SubjectAlternativeName::new().dns(host).build(&builder.x509v3_context(Some(&self.own), None)).unwrap();
        builder.append_extension(names).unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        (builder.build().to_pem().unwrap(), key.private_key_to_pem_pkcs8().unwrap())
    }

    fn pem(&self) -> Vec<u8> {
        self.own.to_pem().unwrap()
    }
}

fn name(text: &str) -> X509Name {
    let mut builder = X509NameBuilder::new().unwrap();
    builder.append_entry_by_text("CN", text).unwrap();
    builder.build()
}

fn certificate(subject: &X509NameRef, issuer: &X509NameRef, key: &PKey<Private>) -> X509Builder {
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(subject).unwrap();
    builder.set_issuer_name(issuer).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
    builder
}

#[test]
#[ignore = "starts a server of PostgreSQL"]
fn the_server_is_who_its_certificate_says_or_nothing_is_said_to_it() {
    let (authority, stranger) = (Authority::new("authority"), Authority::new("stranger"));
    let (certificate, key) = authority.certify("localhost");
    let cluster = Cluster::start(&[]);
    let port = cluster.listen_with_tls(&certificate, &key);
    let folder = tempfile::tempdir().unwrap();
    let migrate = |host: &str, authority: &Authority| {
        let path = folder.path().join("authority.pem");
        std::fs::write(&path, authority.pem()).unwrap();
        let url = format!("postgres://carnet@{host}:{port}/postgres?sslmode=verify-full&sslrootcert={}", path.display());
        carnet().args(["migrate", "--store", &url]).output().unwrap()
    };
    let refused = |host: &str, authority: &Authority, why: &str| {
        let output = migrate(host, authority);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{said}");
    };
    refused("localhost", &stranger, "certificate verify failed");
    refused("127.0.0.1", &authority, "does not match host name");
    let taken = migrate("localhost", &authority);
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
}

/// Takes connections and says nothing.
#[test]
fn a_server_that_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://carnet@{}/postgres?connect_timeout=2", silent.local_addr().unwrap());
    let output = carnet().args(["migrate", "--store", &url]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("timeout"), "{output:?}");
}
