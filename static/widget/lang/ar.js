export default {
  open: "فتح الدردشة",
  messages: "الرسائل", you: "أنت", placeholder: "اكتب رسالتك", send: "إرسال", stop: "إيقاف", retry: "حاول مرة أخرى",
  attach: "إرفاق صورة", remove: "إزالة", image: "صورة", menu: "المزيد", close: "إغلاق", earlier: "رسائل أقدم",
  fresh: "محادثة جديدة", askPerson: "التحدث إلى شخص", nobody: "لا يوجد أحد الآن.", sources: "المصادر",
  contact: "اترك بيانات الاتصال", email: "البريد الإلكتروني", phone: "الهاتف", name: "الاسم", save: "حفظ", saved: "شكرًا لك!",
  check: "يرجى التحقق من البيانات المدخلة.", rate: "قيّم هذه المحادثة", stars: "{n} من 5", comment: "أخبرنا بالمزيد (اختياري)", skip: "ليس الآن",
  soundOn: "تشغيل الصوت", soundOff: "كتم الصوت", typing: "{name} يكتب…", unread: "{n} غير مقروءة",
  offline: "لا يوجد اتصال. سترسل رسالتك فور عودته.", failed: "لم ينجح ذلك.",
  stopped: "متوقف", interrupted: "انقطع", blocked: "لا يمكنك الكتابة في هذه الدردشة.", until: "حتى {time}.",
  tooMany: "رسائل كثيرة جدًا. انتظر لحظة، وسترسل رسالتك بعدها.", imageFailed: "لا يمكن إرسال هذه الصورة.",
};
