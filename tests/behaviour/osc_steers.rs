//! OSC over UDP: parameters of whoever is on air and of sessions by label, cuts, answers; what is wrong is said and changes
//! nothing.

use std::time::Duration;

use limn_tests::house::{House, Owner, until};
use limn_tests::pictures::{RED, plain};
use rosc::{OscBundle, OscMessage, OscPacket, OscType};
use serde_json::{Value, json};
use tokio::net::UdpSocket;
use tokio::time::timeout;

struct Desk(UdpSocket);

impl Desk {
    async fn at(house: &House) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(house.running.osc.unwrap()).await.unwrap();
        Self(socket)
    }

    async fn say(&self, addr: &str, args: Vec<OscType>) {
        self.send(&message(addr, args)).await;
    }

    async fn send(&self, packet: &OscPacket) {
        let bytes = rosc::encoder::encode(packet).unwrap();
        self.0.send(&bytes).await.unwrap();
    }

    async fn hear(&self) -> OscMessage {
        let mut buffer = [0; 2048];
        let heard = timeout(Duration::from_secs(5), self.0.recv(&mut buffer)).await;
        let length = heard.expect("an answer").unwrap();
        match rosc::decoder::decode_udp(&buffer[..length]).unwrap().1 {
            OscPacket::Message(message) => message,
            OscPacket::Bundle(_) => panic!("no bundle was asked for"),
        }
    }

    /// The sentence that answers what is refused.
    async fn refused(&self, addr: &str, args: Vec<OscType>) -> String {
        self.say(addr, args).await;
        let OscMessage { addr, args } = self.hear().await;
        assert_eq!(addr, "/limn/error");
        args[0].clone().string().unwrap()
    }
}

fn message(addr: &str, args: Vec<OscType>) -> OscPacket {
    let addr = addr.to_owned();
    OscPacket::Message(OscMessage { addr, args })
}

async fn painter(house: &House, label: &str) -> Owner {
    let owner = house
        .begin(json!({"row": "brush", "label": label, "params": {"width": 64, "height": 64}}))
        .await;
    owner.send(&plain(RED)).await;
    until("it is painted", || house.count(&owner.id, "painted") > 0).await;
    owner
}

fn param(house: &House, owner: &Owner, name: &str) -> Value {
    house.session(&owner.id).params().as_map()[name].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_desk_steers_cuts_and_asks() {
    let page = tempfile::tempdir().unwrap();
    let presets =
        r#"{"presets": [{"name": "Warm", "values": {"prompt": "orange", "elsewhere": 1}}]}"#;
    std::fs::write(page.path().join("presets.json"), presets).unwrap();
    let house = House::open(&["--osc", "0", "--frontend", page.path().to_str().unwrap()]);
    let desk = Desk::at(&house).await;
    let nobody = desk.refused("/limn/prompt", vec!["red".into()]).await;
    assert!(nobody.contains("nothing is on air"), "{nobody}");
    let (left, right) = (
        painter(&house, "left").await,
        painter(&house, "right").await,
    );
    until("right is on air", || {
        house.running.program.on_air().borrow().as_deref() == Some(&right.id)
    })
    .await;

    desk.say("/limn/prompt", vec!["blue".into()]).await;
    until("it is set", || param(&house, &right, "prompt") == "blue").await;
    desk.say("/limn/left/prompt", vec!["green".into()]).await;
    until("it is set", || param(&house, &left, "prompt") == "green").await;
    desk.say(
        &format!("/limn/{}/width", left.id),
        vec![OscType::Float(128.0)],
    )
    .await;
    until("it is set", || param(&house, &left, "width") == 128).await;

    desk.say("/limn/preset", vec!["Warm".into()]).await;
    until("it is set", || param(&house, &right, "prompt") == "orange").await;

    desk.say("/limn/program", vec!["left".into(), OscType::Float(0.2)])
        .await;
    until("left is on air", || {
        house.running.program.on_air().borrow().as_deref() == Some(&left.id)
    })
    .await;
    desk.say("/limn/program", vec![]).await;
    until("right is on air again", || {
        house.running.program.on_air().borrow().as_deref() == Some(&right.id)
    })
    .await;

    desk.say("/limn/fps", vec![]).await;
    let (one, other) = (desk.hear().await, desk.hear().await);
    assert_eq!(
        (one.addr.as_str(), other.addr.as_str()),
        ("/limn/fps", "/limn/fps")
    );
    assert_eq!(one.args[0], OscType::String("left".into()));

    for (addr, args, said) in [
        ("/limn/width", vec![OscType::Float(65.0)], "width"),
        ("/limn/nothing", vec![OscType::Int(1)], "nothing"),
        (
            "/limn/centre/width",
            vec![OscType::Int(64)],
            "no session is called `centre`",
        ),
        ("/limn/width", vec![], "the value is missing"),
        (
            "/limn/left/preset",
            vec!["Cold".into()],
            "no preset is called \"Cold\"; there are: Warm",
        ),
        (
            "/limn/program",
            vec!["left".into(), OscType::Float(-1.0)],
            "0 to 60",
        ),
        ("/light/1", vec![], "there is no such address"),
    ] {
        let refused = desk.refused(addr, args).await;
        assert!(
            refused.starts_with(addr) && refused.contains(said),
            "{refused}"
        );
    }
    desk.0.send(b"not osc at all").await.unwrap();
    assert_eq!(desk.hear().await.addr, "/limn/error");
    assert_eq!(param(&house, &right, "width"), 64);

    let page = house.ask("GET", "/api/osc", &Value::Null).await;
    let page = String::from_utf8(page.body).unwrap();
    assert!(page.contains("/limn/prompt") && page.contains("This server listens at UDP"));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_packet_is_answered_64_times_at_most_and_heard_to_its_end() {
    let house = House::open(&["--osc", "0"]);
    let desk = Desk::at(&house).await;
    let left = painter(&house, "left").await;
    for asked in ["/limn/fps", "/nothing"] {
        let mut content = vec![message(asked, vec![]); 500];
        content.push(message("/limn/left/prompt", vec![asked.into()]));
        let timetag = (0, 1).into();
        desk.send(&OscPacket::Bundle(OscBundle { timetag, content }))
            .await;
        until("the last is heard", || {
            param(&house, &left, "prompt") == asked
        })
        .await;
        // What comes behind the answers.
        desk.say("/limn/left/width", vec![OscType::Float(65.0)])
            .await;
        let mut count = 0;
        while !desk.hear().await.args[0]
            .clone()
            .string()
            .is_some_and(|said| said.contains("65"))
        {
            count += 1;
        }
        assert_eq!(count, 64, "{asked}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_later_is_not_taken_for_the_first_of_a_name() {
    let house = House::open(&["--osc", "0", "--max-sessions", "0"]);
    let desk = Desk::at(&house).await;
    let name = "stage-left-camera";
    let first = painter(&house, name).await;
    painter(&house, name).await;
    // A client of the other wire names its session itself.
    let _camera = house.camera(name).await;
    let address = format!("/limn/{name}/prompt");
    desk.say(&address, vec!["ours".into()]).await;
    until("the first hears it", || {
        param(&house, &first, "prompt") == "ours"
    })
    .await;
    desk.say("/limn/program", vec![name.into()]).await;
    until("the first is on air", || {
        house.running.program.on_air().borrow().as_deref() == Some(&first.id)
    })
    .await;
    house.close().await;
}
