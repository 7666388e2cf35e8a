export default {
  open: "Abrir el chat",
  messages: "Mensajes", you: "Usted", placeholder: "Escriba su mensaje", send: "Enviar", stop: "Detener", retry: "Reintentar",
  attach: "Adjuntar una imagen", remove: "Quitar", image: "Imagen", menu: "Más", close: "Cerrar", earlier: "Mensajes anteriores",
  fresh: "Nueva conversación", askPerson: "Hablar con una persona", nobody: "Ahora mismo no hay nadie disponible.", sources: "Fuentes",
  contact: "Dejar sus datos de contacto", email: "Correo electrónico", phone: "Teléfono", name: "Nombre", save: "Guardar", saved: "¡Gracias!",
  check: "Compruebe los datos introducidos.", rate: "Valorar esta conversación", stars: "{n} de 5", comment: "Cuéntenos más (opcional)", skip: "Ahora no",
  soundOn: "Activar el sonido", soundOff: "Silenciar", typing: "{name} está escribiendo…", unread: "{n} sin leer",
  offline: "Sin conexión. Su mensaje se enviará en cuanto se restablezca.", failed: "No ha funcionado.",
  stopped: "Detenido", interrupted: "Interrumpido", blocked: "No puede escribir en este chat.", until: "Hasta {time}.",
  tooMany: "Demasiados mensajes. Espere un momento; el suyo se enviará después.", imageFailed: "No se puede enviar esta imagen.",
};
