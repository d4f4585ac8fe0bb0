package simulator

import "kentongan/geo"

// solok is Kabupaten Solok: seats and sites are those of the profile (centroids of the kecamatan where nothing better is known), rivers
// and roads are drawn by hand through them and good to about a kilometre. Heights in metres, rounded.
func solok() terrain {
	t := terrain{
		towns: []Site{
			{"Arosuka", geo.Position{Lat: -0.957, Lng: 100.618}}, {"Alahan Panjang", geo.Position{Lat: -1.0793, Lng: 100.8006}},
			{"Selayo", geo.Position{Lat: -0.8311, Lng: 100.6299}}, {"Muaro Paneh", geo.Position{Lat: -0.8777, Lng: 100.7129}},
			{"Talang", geo.Position{Lat: -0.922, Lng: 100.638}}, {"Sumani", geo.Position{Lat: -0.722, Lng: 100.598}},
			{"Bukit Sileh", geo.Position{Lat: -0.951, Lng: 100.7205}}, {"Koto Anau", geo.Position{Lat: -0.9235, Lng: 100.711}},
			{"Surian", geo.Position{Lat: -1.2458, Lng: 100.8922}}, {"Kubang Nan Duo", geo.Position{Lat: -0.8798, Lng: 100.8272}},
			{"Sungai Lasi", geo.Position{Lat: -0.7887, Lng: 100.7565}}, {"Singkarak", geo.Position{Lat: -0.692, Lng: 100.592}},
			{"Tanjung Balik", geo.Position{Lat: -0.6298, Lng: 100.6563}}, {"Paninggahan", geo.Position{Lat: -0.6862, Lng: 100.5058}},
			{"Talang Babungo", geo.Position{Lat: -1.1475, Lng: 100.9334}}, {"Batu Bajanjang", geo.Position{Lat: -1.0707, Lng: 101.0439}},
			{"Simpang Tanjung Nan IV", geo.Position{Lat: -1.0517, Lng: 100.7006}}, {"Cupak", geo.Position{Lat: -0.905, Lng: 100.633}},
			{"Koto Baru", geo.Position{Lat: -0.867, Lng: 100.628}}, {"Lubuk Selasih", geo.Position{Lat: -0.962, Lng: 100.59}},
		},
		lakes: []Site{
			{"Danau Singkarak", geo.Position{Lat: -0.62, Lng: 100.54}}, {"Danau Diatas", geo.Position{Lat: -1.08, Lng: 100.76}},
			{"Danau Dibawah", geo.Position{Lat: -1.01, Lng: 100.73}},
		},
		volcano: Site{"Gunung Talang", geo.Position{Lat: -0.978, Lng: 100.68}},
		// The Sumani segment of the Great Sumatran Fault, from Danau Diatas to Singkarak.
		fault:  lineOf([]geo.Position{{Lat: -1.06, Lng: 100.76}, {Lat: -0.83, Lng: 100.66}, {Lat: -0.72, Lng: 100.6}, {Lat: -0.6, Lng: 100.53}}),
		valley: 2,
	}
	t.rivers = []channel{
		river("Batang Lembang", []string{"", "AWLR Bukit Sileh", "AWLR Koto Anau", "AWLR Muaro Paneh", "AWLR Saok Laweh", "", "AWLR Batang Lembang hilir", ""},
			pt{-0.973, 100.7, 1650}, pt{-0.955, 100.723, 1000}, pt{-0.923, 100.713, 640}, pt{-0.88, 100.708, 430}, pt{-0.828, 100.68, 405},
			pt{-0.8, 100.66, 390}, pt{-0.75, 100.625, 378}, pt{-0.7, 100.592, 363}),
		river("Batang Sumani", []string{"", "AWLR Cupak", "AWLR Selayo", "AWLR Sumani", ""},
			pt{-0.945, 100.61, 1080}, pt{-0.905, 100.625, 700}, pt{-0.8311, 100.622, 420}, pt{-0.728, 100.606, 370}, pt{-0.695, 100.588, 363}),
		river("Batang Palangki", []string{"", "AWLR Sirukam", "AWLR Kubang Nan Duo", "AWLR Palangki", ""},
			pt{-0.945, 100.785, 1100}, pt{-0.915, 100.8, 620}, pt{-0.8798, 100.8272, 430}, pt{-0.82, 100.86, 320}, pt{-0.765, 100.93, 220}),
		river("Batang Hari hulu", []string{"", "AWLR Alahan Panjang", "AWLR Aie Dingin", "AWLR Talang Babungo", "AWLR Batu Bajanjang", ""},
			pt{-1.07, 100.772, 1530}, pt{-1.082, 100.805, 1450}, pt{-1.118, 100.87, 1180}, pt{-1.1475, 100.9334, 940}, pt{-1.1, 101.01, 620}, pt{-1.06, 101.09, 410}),
	}
	t.roads = []way{
		road("Jalan nasional Padang-Solok", 0.55,
			pt{-0.95, 100.49, 950}, pt{-0.949, 100.515, 1050}, pt{-0.962, 100.59, 1160}, pt{-0.957, 100.618, 1090}, pt{-0.94, 100.64, 940},
			pt{-0.922, 100.638, 820}, pt{-0.905, 100.633, 690}, pt{-0.867, 100.628, 480}, pt{-0.8311, 100.6299, 420}, pt{-0.797, 100.65, 395},
			pt{-0.76, 100.628, 382}, pt{-0.722, 100.598, 372}, pt{-0.692, 100.592, 368}, pt{-0.62, 100.575, 366}, pt{-0.56, 100.553, 365}),
		road("Jalan Lubuk Selasih-Surian", 0.2,
			pt{-0.962, 100.59, 1160}, pt{-0.985, 100.625, 1300}, pt{-1.02, 100.675, 1480}, pt{-1.0517, 100.7006, 1550}, pt{-1.062, 100.745, 1540},
			pt{-1.0793, 100.8006, 1450}, pt{-1.15, 100.845, 1280}, pt{-1.2458, 100.8922, 1000}),
		road("Jalan Muaro Paneh-Bukit Sileh", 0.1,
			pt{-0.8311, 100.6299, 420}, pt{-0.86, 100.68, 425}, pt{-0.8777, 100.7129, 430}, pt{-0.9235, 100.711, 640}, pt{-0.951, 100.7205, 1000}, pt{-1.0, 100.718, 1380}),
		road("Jalan Solok-Sungai Lasi", 0.15,
			pt{-0.797, 100.65, 395}, pt{-0.79, 100.7, 420}, pt{-0.7887, 100.7565, 480}, pt{-0.76, 100.8, 420}),
	}
	t.descent = reach{0, t.roads[0].line.km[3], t.roads[0].line.km[5]} // Aro Talang
	return t
}
