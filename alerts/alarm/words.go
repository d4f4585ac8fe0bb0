package alarm

// events is what the house's own alarms are called, by language.
var events = map[string]map[Code]string{
	"id": {CodeFlood: "Banjir alarm", CodeGroup: "Kumpulan alarm", CodeChattering: "Sensor hilang-timbul", CodeFeed: "Umpan data terputus",
		CodePanic: "DARURAT PERSONEL", CodeRollCall: "tidak ada kabar dari lokasi", CodeUnanswered: "tidak ada unit yang berangkat"},
	"en": {CodeFlood: "Alarm flood", CodeGroup: "Group of alarms", CodeChattering: "Chattering sensor", CodeFeed: "Feed down",
		CodePanic: "CREW CALLS FOR HELP", CodeRollCall: "not heard of on scene", CodeUnanswered: "no unit is going"},
}

// told is what an alarm of the house's own is called, about something; empty: about nothing in particular.
func told(words func(Code) string, c Code, about string) string {
	switch {
	case about == "":
		return words(c)
	case c == CodeChattering:
		return words(c) + ": " + about
	}
	return about + ": " + words(c)
}

// names is told in every language.
func names(c Code, about string) map[string]string {
	out := make(map[string]string, len(events))
	for language := range events {
		out[language] = told(wordsIn(language), c, about)
	}
	return out
}

// wordsIn gives the events in a language, in Indonesian where there is none of it.
func wordsIn(language string) func(Code) string {
	words, ok := events[language]
	if !ok {
		words = events["id"]
	}
	return func(c Code) string { return words[c] }
}
