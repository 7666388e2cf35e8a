export default {
  open: "פתיחת הצ'אט",
  messages: "הודעות", you: "אתם", placeholder: "כתבו הודעה", send: "שליחה", stop: "עצירה", retry: "לנסות שוב",
  attach: "צירוף תמונה", remove: "הסרה", image: "תמונה", menu: "עוד", close: "סגירה", earlier: "הודעות קודמות",
  fresh: "שיחה חדשה", askPerson: "לדבר עם נציג", nobody: "אין כאן אף אחד כרגע.", sources: "מקורות",
  contact: "השארת פרטי קשר", email: "דואר אלקטרוני", phone: "טלפון", name: "שם", save: "שמירה", saved: "תודה!",
  check: "נא לבדוק את הפרטים.", rate: "דירוג השיחה", stars: "{n} מתוך 5", comment: "ספרו לנו עוד (לא חובה)", skip: "לא עכשיו",
  soundOn: "הפעלת צליל", soundOff: "השתקה", typing: "{name} מקליד/ה…", unread: "{n} שלא נקראו",
  offline: "אין חיבור. ההודעה תישלח כשהוא יחזור.", failed: "זה לא הצליח.",
  stopped: "נעצר", interrupted: "נקטע", blocked: "אינכם יכולים לכתוב בצ'אט הזה.", until: "עד {time}.",
  tooMany: "יותר מדי הודעות. המתינו רגע; שלכם תישלח אחר כך.", imageFailed: "אי אפשר לשלוח את התמונה הזאת.",
};
