export default {
  open: "Abrir o chat",
  messages: "Mensagens", you: "Você", placeholder: "Escreva a sua mensagem", send: "Enviar", stop: "Parar", retry: "Tentar de novo",
  attach: "Anexar uma imagem", remove: "Remover", image: "Imagem", menu: "Mais", close: "Fechar", earlier: "Mensagens anteriores",
  fresh: "Nova conversa", askPerson: "Falar com uma pessoa", nobody: "De momento não há ninguém disponível.", sources: "Fontes",
  contact: "Deixar os seus dados", email: "E-mail", phone: "Telefone", name: "Nome", save: "Guardar", saved: "Obrigado!",
  check: "Verifique os dados introduzidos.", rate: "Avaliar esta conversa", stars: "{n} de 5", comment: "Conte-nos mais (opcional)", skip: "Agora não",
  soundOn: "Ligar o som", soundOff: "Desligar o som", typing: "{name} escreve…", unread: "Não lidas: {n}",
  offline: "Sem conexão. A sua mensagem será enviada quando ela voltar.", failed: "Não funcionou.",
  stopped: "Parado", interrupted: "Interrompido", blocked: "Não pode escrever neste chat.", until: "Até {time}.",
  tooMany: "Demasiadas mensagens. Aguarde um momento; a sua será enviada depois.", imageFailed: "Não é possível enviar esta imagem.",
};
