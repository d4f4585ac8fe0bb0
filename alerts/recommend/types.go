package recommend

// needs is the capability column of domain.md section 4, in the profile's codes: any of them makes a unit capable.
var needs = map[string][]string{
	"eq": {"trc", "assessment"}, "landslide": {"trc", "excavator"}, "flash_flood": {"trc", "water_rescue"}, "flood": {"trc", "boat", "pump"}, "river_high": {"gauge_check"},
	"volcano": {"trc", "evacuation"}, "ashfall": {"masks", "water"}, "wildfire": {"fire_4x4"}, "wind": {"chainsaw", "tarpaulin"}, "tree_down": {"chainsaw"},
	"drought": {"water_tanker"}, "fish_kill": {"water_sampling"}, "water_quality": {"sampling"}, "air_quality": {"sensor_check"}, "fire_building": {"engine", "ladder"},
	"fire_vehicle": {"engine"}, "hazmat": {"hazmat_kit"}, "rescue_tech": {"rescue_tools"}, "animal": {"handling_kit"}, "traffic_injury": {"ambulance_als", "ambulance_bls", "patrol"},
	"traffic_damage": {"patrol", "tow"}, "truck_stall": {"heavy_tow"}, "road_blocked": {"excavator"}, "congestion": {"traffic_officer"}, "road_damage": {"repair_crew"},
	"bridge_damage": {"engineer"}, "streetlight": {"technician"}, "medical": {"ambulance_als", "ambulance_bls"}, "outbreak": {"surveillance_team"}, "missing_person": {"sar_team"},
	"crime": {"patrol"}, "public_order": {"patrol"}, "crowd": {"patrol"}, "domestic_violence": {"restricted_team"}, "power_out": {"pln_crew"}, "water_out": {"pdam_crew"},
	"telecom_out": {"field_check"}, "waste": {"truck"}, "price_spike": {"market_check"}, "tourism": {"sar_team", "guide"}, "sensor_fault": {"technician"},
}

// Capabilities lists what a type of incident asks for; none: any unit of its agencies will do.
func Capabilities(incidentType string) []string { return needs[incidentType] }
