// What a Thing is and what it measures, in the reader's language. A code that nobody gave a name is shown as it is written, without underscores.
import { m } from "../../i18n/paraglide/messages.js";
import { plain } from "./plain";

type Words = Readonly<Record<string, () => string>>;

const KINDS: Words = {
  river_gauge: m.kind_river_gauge,
  rain_gauge: m.kind_rain_gauge,
  weather_station: m.kind_weather_station,
  seismometer: m.kind_seismometer,
  air_quality: m.kind_air_quality,
  water_quality: m.kind_water_quality,
  lake_buoy: m.kind_lake_buoy,
  road_sensor: m.kind_road_sensor,
  camera: m.kind_camera,
  volcano: m.kind_volcano,
  unit: m.kind_unit,
  bus: m.kind_bus,
  truck: m.kind_truck,
  car: m.kind_car,
  streetlight: m.kind_streetlight,
  phone: m.kind_phone,
  market: m.kind_market,
  facility: m.kind_facility,
  ambulance: m.kind_ambulance,
  patrol: m.kind_patrol,
};

/** What each layer tells, one sentence. */
const WHY: Words = {
  river_gauge: m.kind_river_gauge_why,
  rain_gauge: m.kind_rain_gauge_why,
  weather_station: m.kind_weather_station_why,
  seismometer: m.kind_seismometer_why,
  air_quality: m.kind_air_quality_why,
  water_quality: m.kind_water_quality_why,
  lake_buoy: m.kind_lake_buoy_why,
  road_sensor: m.kind_road_sensor_why,
  camera: m.kind_camera_why,
  volcano: m.kind_volcano_why,
  unit: m.kind_unit_why,
  bus: m.kind_bus_why,
  truck: m.kind_truck_why,
  car: m.kind_car_why,
  streetlight: m.kind_streetlight_why,
  phone: m.kind_phone_why,
  market: m.kind_market_why,
  facility: m.kind_facility_why,
  ambulance: m.kind_ambulance_why,
  patrol: m.kind_patrol_why,
};

const PROPERTIES: Words = {
  water_level: m.prop_water_level,
  water_level_rise: m.prop_water_level_rise,
  water_depth: m.prop_water_depth,
  reservoir_level: m.prop_reservoir_level,
  rainfall: m.prop_rainfall,
  rainfall_1h: m.prop_rainfall_1h,
  wind_speed: m.prop_wind_speed,
  wind_gust: m.prop_wind_gust,
  temperature: m.prop_temperature,
  humidity: m.prop_humidity,
  pga: m.prop_pga,
  pm2_5: m.prop_pm2_5,
  pm10: m.prop_pm10,
  dissolved_oxygen: m.prop_dissolved_oxygen,
  ph: m.prop_ph,
  turbidity: m.prop_turbidity,
  water_temperature: m.prop_water_temperature,
  traffic_speed: m.prop_traffic_speed,
  vehicle_count: m.prop_vehicle_count,
  speed: m.prop_speed,
  heading: m.prop_heading,
  battery: m.prop_battery,
  brake_temperature: m.prop_brake_temperature,
  impact: m.prop_impact,
  lamp: m.prop_lamp,
  power: m.prop_power,
  voltage: m.prop_voltage,
  picture: m.prop_picture,
  price_chicken: m.prop_price_chicken,
  price_cooking_oil: m.prop_price_cooking_oil,
  price_egg: m.prop_price_egg,
  price_red_chilli: m.prop_price_red_chilli,
  price_rice: m.prop_price_rice,
  price_shallot: m.prop_price_shallot,
};

const QUALITIES: Words = {
  good: () => "",
  received: m.quality_received,
  clock_skew: m.quality_clock_skew,
  suspect: m.quality_suspect,
};

const said = (words: Words, code: string): string =>
  (Object.hasOwn(words, code) ? words[code] : undefined)?.() ?? plain(code);

/** A kind of Thing (SensorThings), as `kind` of INTERFACES, section 4. */
export const kindWord = (kind: string): string => said(KINDS, kind);

export const kindWhy = (kind: string): string =>
  (Object.hasOwn(WHY, kind) ? WHY[kind] : undefined)?.() ??
  m.desk_layers_other();

/** An ObservedProperty. */
export const propertyWord = (property: string): string =>
  said(PROPERTIES, property);

/** How far a reading can be trusted; empty: fully. */
export const qualityWord = (quality: string): string =>
  said(QUALITIES, quality);
