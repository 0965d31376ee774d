// Count and hash what arrives: node subscriber.js PORT FILTER COUNT; ends with one line of JSON.
const crypto = require("crypto");
const mqtt = require("mqtt");
const [port, filter, count] = process.argv.slice(2);
const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, clean: true });
const ids = new Set();
const hash = crypto.createHash("sha256");
let arrived = 0;
client.on("connect", () =>
  client.subscribe(filter, { qos: 1 }, () => console.log("subscribed")),
);
client.on("message", (_topic, payload) => {
  arrived += 1;
  const id = JSON.parse(payload.toString()).id;
  if (!ids.has(id)) {
    ids.add(id);
    hash.update(payload).update("\n");
  }
  if (ids.size === Number(count)) {
    client.end(false, () =>
      console.log(JSON.stringify({ arrived, records: ids.size, sha256: hash.digest("hex") })),
    );
  }
});
