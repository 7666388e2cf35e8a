export default {
  open: "Sohbeti aç",
  messages: "Mesajlar", you: "Siz", placeholder: "Mesajınızı yazın", send: "Gönder", stop: "Durdur", retry: "Yeniden dene",
  attach: "Görsel ekle", remove: "Kaldır", image: "Görsel", menu: "Daha fazla", close: "Kapat", earlier: "Önceki mesajlar",
  fresh: "Yeni görüşme", askPerson: "Bir yetkiliyle görüş", nobody: "Şu anda kimse yok.", sources: "Kaynaklar",
  contact: "İletişim bilgilerinizi bırakın", email: "E-posta", phone: "Telefon", name: "Ad", save: "Kaydet", saved: "Teşekkürler!",
  check: "Lütfen girdiğiniz bilgileri kontrol edin.", rate: "Görüşmeyi değerlendirin", stars: "5 üzerinden {n}", comment: "Daha fazlasını anlatın (isteğe bağlı)", skip: "Şimdi değil",
  soundOn: "Sesi aç", soundOff: "Sesi kapat", typing: "{name} yazıyor…", unread: "{n} okunmamış",
  offline: "Bağlantı yok. Mesajınız bağlantı gelince gönderilecek.", failed: "İşlem başarısız oldu.",
  stopped: "Durduruldu", interrupted: "Kesildi", blocked: "Bu sohbette yazamazsınız.", until: "{time} tarihine kadar.",
  tooMany: "Çok fazla mesaj. Biraz bekleyin; mesajınız sonra gönderilecek.", imageFailed: "Bu görsel gönderilemiyor.",
};
