package outbox

import (
	"strings"

	"kentongan/alerts/alarm"
	"kentongan/alerts/incident"
)

// english tells the language of a browser; all others read Indonesian.
func english(lang string) bool { return lang == "en" }

// orderWords is what stands on a crew's locked screen: the type of incident, and nothing of a restricted one.
func orderWords(lang, code string, offered bool) (title, text string) {
	name := ""
	if t, ok := incident.TypeOf(code); ok && !t.Restricted {
		if name = ": " + t.ID; english(lang) {
			name = ": " + t.EN
		}
	}
	switch {
	case english(lang) && offered:
		return "New task" + name, "Open to answer."
	case english(lang):
		return "Task cancelled" + name, "You need not go."
	case offered:
		return "Tugas baru" + name, "Buka untuk menjawab."
	}
	return "Tugas dibatalkan" + name, "Tidak perlu berangkat."
}

// climbWords is what stands on a telephone to which an alarm has climbed.
func climbWords(lang string, a *alarm.Alarm) (title, text string) {
	facts := a.Facts()
	event := facts.Event
	if own := facts.Names["en"]; own != "" && english(lang) {
		event = own
	} else if own := facts.Names["id"]; own != "" && !english(lang) {
		event = own
	}
	what := strings.Join(strings.Fields(event+" "+facts.AreaName), " ")
	if a.Restricted() {
		what = ""
	}
	if english(lang) {
		return "Alarm " + string(a.Priority) + " not seen by any desk", what
	}
	return "Alarm " + string(a.Priority) + " belum dilihat meja mana pun", what
}
