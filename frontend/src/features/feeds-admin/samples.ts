// One small sample per format, all invented, so that a try begins with something that works. Loaded only when one is asked for.
// In bytes that may say any time, @NOW@ and its like become the present.

export interface Sample {
  body: string;
  contentType?: string;
  topic?: string;
  kind?: string;
  map?: string;
  each?: string;
}

const CAP = `<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>contoh-1</identifier>
  <sender>contoh@kota.example</sender>
  <sent>@OFFSET@</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <scope>Public</scope>
  <info>
    <language>id</language>
    <category>Met</category>
    <event>Hujan lebat</event>
    <urgency>Expected</urgency>
    <severity>Moderate</severity>
    <certainty>Likely</certainty>
    <expires>@LATER@</expires>
    <headline>Hujan lebat di lembah, contoh</headline>
    <area>
      <areaDesc>Lembah contoh</areaDesc>
      <polygon>-0.78,100.60 -0.78,100.68 -0.86,100.68 -0.86,100.60 -0.78,100.60</polygon>
    </area>
  </info>
</alert>
`;

const SAMPLES: Record<string, Sample> = {
  json: {
    kind: "river_gauge",
    each: ".data[]",
    map: `{thing: .kode, name: .pos, property: "water_level", unit: "m",
 value: (.tma | sub(","; ".") | num),
 at: .waktu, lat: .lintang, lng: .bujur}`,
    body: `{"data": [
  {"kode": "P-1", "pos": "Pos hulu", "tma": "1,42", "waktu": "@NOW@", "lintang": -0.831, "bujur": 100.634},
  {"kode": "P-2", "pos": "Pos jembatan", "tma": "2,05", "waktu": "@NOW@", "lintang": -0.802, "bujur": 100.651},
  {"kode": "P-3", "pos": "Pos hilir", "tma": "-", "waktu": "@NOW@", "lintang": -0.779, "bujur": 100.662}
]}
`,
  },
  csv: {
    kind: "rain_gauge",
    map: `{thing: .pos, property: "rainfall", unit: "mm/h",
 value: (.hujan | num), at: .waktu,
 lat: (.lat | num), lng: (.lng | num)}`,
    body: `pos;hujan;waktu;lat;lng
H-1;12.5;@NOW@;-0.83;100.63
H-2;0;@NOW@;-0.80;100.65
H-3;deras;@NOW@;-0.78;100.66
`,
  },
  xml: {
    kind: "river_gauge",
    contentType: "application/xml",
    each: ".site[]",
    map: `def t: .[0]["#text"];
{thing: ."@code", name: (.name | t), property: "water_level", unit: "m",
 value: (.level | t | num), at: (.time | t),
 lat: (."@lat" | num), lng: (."@lng" | num)}`,
    body: `<sites>
  <site code="P-1" lat="-0.831" lng="100.634"><name>Pos hulu</name><level>1.42</level><time>@NOW@</time></site>
  <site code="P-2" lat="-0.802" lng="100.651"><name>Pos jembatan</name><level>2.05</level><time>@NOW@</time></site>
</sites>
`,
  },
  geojson: {
    kind: "sensor",
    body: `{"type": "FeatureCollection", "features": [
  {"type": "Feature", "id": "t-1", "geometry": {"type": "Point", "coordinates": [100.634, -0.831]},
   "properties": {"name": "Titik satu", "water_level": 1.4}},
  {"type": "Feature", "id": "t-2", "geometry": {"type": "Point", "coordinates": [100.651, -0.802]},
   "properties": {"name": "Titik dua", "water_level": 0.9}}
]}
`,
  },
  native: {
    kind: "river_gauge",
    body: `[
  {"thing": "dev-1", "name": "Alat satu", "property": "water_level", "value": 1.4, "unit": "m", "at": "@NOW@", "lat": -0.831, "lng": 100.634},
  {"record": "report", "id": "lap-1", "at": "@NOW@", "channel": "app", "text": "Air naik di jembatan", "lat": -0.802, "lng": 100.651}
]
`,
  },
  adsb: {
    kind: "aircraft",
    body: `{"now": @UNIX@, "aircraft": [
  {"hex": "8a0001", "flight": "CTH100  ", "alt_baro": 2400, "gs": 140, "track": 90.5, "lat": -0.79, "lon": 100.65, "seen_pos": 1.5}
]}
`,
  },
  ais: {
    kind: "vessel",
    body: `!AIVDM,1,1,,A,17ld=N@01TW;GJQwM=L4d3d00000,0*02
`,
  },
  alertmanager: {
    body: `{"version": "4", "status": "firing", "receiver": "kentongan", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alertmanager.example",
 "alerts": [{"status": "firing", "labels": {"alertname": "PompaMati", "severity": "critical", "instance": "pompa-1"},
  "annotations": {"summary": "Pompa satu mati"}, "startsAt": "@NOW@", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "c0ffee0000000001"}]}
`,
  },
  bmkg: {
    body: `{"Infogempa": {"gempa": [{"Tanggal": "12 Nov 2026", "Jam": "10:11:12 WIB", "DateTime": "2026-11-12T03:11:12+00:00", "Coordinates": "-0.95,100.31",
 "Lintang": "0.95 LS", "Bujur": "100.31 BT", "Magnitude": "4.1", "Kedalaman": "10 km", "Wilayah": "Contoh, bukan gempa nyata", "Dirasakan": "II Contoh"}]}}
`,
  },
  cap: { contentType: "application/cap+xml", body: CAP },
  chirpstack: {
    kind: "sensor",
    body: `{"deduplicationId": "contoh-1", "time": "@NOW@", "deviceInfo": {"deviceName": "alat-1", "devEui": "0000000000000001", "deviceProfileName": "contoh"},
 "fCnt": 7, "fPort": 1, "object": {"water_level": 1.4}, "rxInfo": []}
`,
  },
  cot: {
    kind: "unit",
    body: `<event version="2.0" uid="regu-1" type="a-f-G-U-C" how="m-g" time="@NOW@" start="@NOW@" stale="@SOON@">
  <point lat="-0.802" lon="100.651" hae="420" ce="8" le="9999999"/>
  <detail><contact callsign="REGU 1"/></detail>
</event>
`,
  },
  gbfs: {
    kind: "bike",
    body: `{"last_updated": "@NOW@", "ttl": 60, "version": "3.0", "data": {"vehicles": [
  {"vehicle_id": "sepeda-1", "lat": -0.802, "lon": 100.651, "is_reserved": false, "is_disabled": false}]}}
`,
  },
  georss: {
    body: `<rss version="2.0" xmlns:georss="http://www.georss.org/georss"><channel><title>Contoh</title><link>https://kota.example</link><description>Contoh</description>
<item><title>Genangan di jembatan, contoh</title><guid>contoh-1</guid><link>https://kota.example/1</link><pubDate>@RFC822@</pubDate>
<georss:point>-0.802 100.651</georss:point></item></channel></rss>
`,
  },
  gtfsrt: {
    kind: "bus",
    contentType: "application/json",
    body: `{"header": {"gtfs_realtime_version": "2.0", "timestamp": @UNIX@}, "entity": [
  {"id": "1", "vehicle": {"vehicle": {"id": "bus-1", "label": "Bus 1"}, "position": {"latitude": -0.802, "longitude": 100.651, "speed": 8.2, "bearing": 40}, "timestamp": @UNIX@}}]}
`,
  },
  ngsi: {
    kind: "sensor",
    body: `[{"id": "urn:ngsi:Device:1", "type": "Device", "waterLevel": {"type": "Number", "value": 1.4, "metadata": {}},
  "dateObserved": {"type": "DateTime", "value": "@NOW@", "metadata": {}},
  "location": {"type": "geo:json", "value": {"type": "Point", "coordinates": [100.634, -0.831]}, "metadata": {}}}]
`,
  },
  nmea: {
    kind: "vehicle",
    body: `$GPRMC,090000.500,A,0047.4000,S,10039.0000,E,19.4384,120.0,251125,,,A*73
`,
  },
  open311: {
    body: `[{"service_request_id": "311-1", "status": "open", "service_name": "Genangan", "service_code": "banjir", "description": "Air setinggi lutut",
  "requested_datetime": "@NOW@", "lat": -0.802, "long": 100.651}]
`,
  },
  owntracks: {
    kind: "unit",
    topic: "owntracks/contoh/regu-1",
    body: `{"_type": "location", "lat": -0.802, "lon": 100.651, "tst": @UNIX@, "vel": 36, "cog": 120, "acc": 8, "batt": 71, "tid": "R1", "topic": "owntracks/contoh/regu-1"}
`,
  },
  petabencana: {
    body: `{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [100.651, -0.802]},
  "properties": {"pkey": 1, "created_at": "@NOW@", "source": "grasp", "title": "", "report_data": {"report_type": "flood", "flood_depth": 39}, "text": "Banjir, contoh"}}]}
`,
  },
  sensorthings: {
    kind: "sensor",
    body: `{"value": [{"@iot.id": 1, "phenomenonTime": "@NOW@", "result": 1.4,
  "Datastream": {"@iot.id": 1, "name": "Muka air", "unitOfMeasurement": {"name": "metre", "symbol": "m", "definition": "ucum:m"},
   "ObservedProperty": {"name": "water_level"},
   "Thing": {"@iot.id": 1, "name": "Pos satu", "Locations": [{"location": {"type": "Point", "coordinates": [100.634, -0.831]}}]}}}]}
`,
  },
  siri: {
    kind: "bus",
    body: `<Siri xmlns="http://www.siri.org.uk/siri" version="2.0"><ServiceDelivery><ResponseTimestamp>@NOW@</ResponseTimestamp><VehicleMonitoringDelivery version="2.0">
<ResponseTimestamp>@NOW@</ResponseTimestamp><VehicleActivity><RecordedAtTime>@NOW@</RecordedAtTime><MonitoredVehicleJourney><LineRef>1</LineRef>
<VehicleLocation><Longitude>100.651</Longitude><Latitude>-0.802</Latitude></VehicleLocation><VehicleRef>bus-1</VehicleRef></MonitoredVehicleJourney></VehicleActivity>
</VehicleMonitoringDelivery></ServiceDelivery></Siri>
`,
  },
  traccar: {
    kind: "vehicle",
    body: `{"location": {"timestamp": "@NOW@", "coords": {"latitude": -0.802, "longitude": 100.651, "accuracy": 6, "speed": 9.1, "heading": 40, "altitude": 420},
 "is_moving": true, "battery": {"level": 0.71, "is_charging": false}}, "device_id": "mobil-1"}
`,
  },
  ttn: {
    kind: "sensor",
    body: `{"end_device_ids": {"device_id": "alat-1", "dev_eui": "0000000000000001"}, "received_at": "@NOW@",
 "uplink_message": {"f_cnt": 7, "decoded_payload": {"water_level": 1.4}, "locations": {"user": {"latitude": -0.831, "longitude": 100.634}}}}
`,
  },
  usgs: {
    body: `{"type": "FeatureCollection", "features": [{"type": "Feature", "id": "xx1",
  "properties": {"mag": 4.1, "place": "Contoh, bukan gempa nyata", "time": @UNIXMS@, "updated": @UNIXMS@, "status": "automatic", "tsunami": 0, "ids": ",xx1,", "type": "earthquake"},
  "geometry": {"type": "Point", "coordinates": [100.31, -0.95, 10]}}]}
`,
  },
  wzdx: {
    body: `{"feed_info": {"update_date": "@NOW@", "publisher": "Contoh", "version": "4.2", "data_sources": [{"data_source_id": "1", "organization_name": "Contoh"}]},
 "type": "FeatureCollection", "features": [{"id": "w-1", "type": "Feature", "properties": {"core_details": {"data_source_id": "1", "event_type": "work-zone",
  "road_names": ["Jalan contoh"], "direction": "northbound", "description": "Perbaikan jembatan"}, "start_date": "@NOW@", "end_date": "@LATER@",
  "is_start_date_verified": true, "is_end_date_verified": false, "is_start_position_verified": true, "is_end_position_verified": true,
  "vehicle_impact": "some-lanes-closed", "location_method": "channel-device-method"},
  "geometry": {"type": "LineString", "coordinates": [[100.64, -0.81], [100.651, -0.802]]}}]}
`,
  },
};

const HOUR = 3_600_000;

/** The sample of a format as of a moment, milliseconds since 1970; null where there is none. */
export function sampleOf(format: string, now: number): Sample | null {
  const found = Object.hasOwn(SAMPLES, format) ? SAMPLES[format] : undefined;
  if (!found) return null;
  const iso = (ms: number) => new Date(ms).toISOString();
  const offset = (ms: number) => iso(ms).replace(/\.\d+Z$/, "+00:00");
  const times: Record<string, string> = {
    "@NOW@": iso(now),
    "@SOON@": iso(now + HOUR / 12),
    "@OFFSET@": offset(now),
    "@LATER@": offset(now + 6 * HOUR),
    "@UNIX@": String(Math.floor(now / 1000)),
    "@UNIXMS@": String(Math.floor(now)),
    "@RFC822@": new Date(now).toUTCString(),
  };
  return {
    ...found,
    body: found.body.replace(/@[A-Z0-9]+@/g, (name) => times[name] ?? name),
  };
}
