"""The little words of each language: they say which language a text is in, and count little in a search."""

from __future__ import annotations

_WORDS = {
    "en": "a an the and or but if of to in on at by for from with without about into over after before as is are was "
    "were be been being am do does did done have has had can could will would shall should may might must i me my "
    "mine we us our you your yours he him his she her it its they them their this that these those there here what "
    "which who whom whose when where why how not no yes so too very just also any some all than then im ive id dont "
    "doesnt didnt cant wont isnt whats please tell know get got want need let like up out much many something "
    "anything thing things stuff really still actually possible someone else going go put havent hasnt hadnt arent "
    "werent wasnt wouldnt couldnt shouldnt youre youve theyre weve hes shes thats theres wheres hows whos lets again "
    "yet ever usually maybe okay ok hi hello hey thanks thank u ur guys folks pls plz hiya doing having none nor "
    "only own same both each few more most other others such until while during between because aren isn couldn "
    "wouldn shouldn didn doesn wasn hasn haven won upon within per",
    "de": "der die das den dem des ein eine einer eines einem einen und oder aber wenn von zu zum zur in im an am "
    "auf bei mit nach aus für über unter vor ist sind war waren sein bin bist wird werden wurde habe hast hat haben "
    "kann können könnte muss müssen soll will ich mich mir mein meine meinen meiner wir uns unser du dich dir er ihn "
    "ihm es sie ihr ihre ihren euch euer sich dies diese dieser dieses dass was wer wie wo wann warum welche welcher "
    "welches nicht kein keine ja nein so auch noch nur sehr man gibt bitte als um bis durch ohne wieder mal denn "
    "doch hier da hatte hatten hattest gehabt wäre wären wurden worden würde würden werde wirst konnte konnten "
    "könnten kannst könnt müsste musste sollte sollten sollen willst wollen wollte möchte möchten darf dürfen deine "
    "deinen deinem deiner dein eure eurem eurer seine seinen seiner seinem ihrem ihrer jene jener jenes diesem "
    "diesen alle allen alles andere anderen anderer etwas viel viele vielen wieviel wieso weshalb wem wen wessen "
    "wohin woher welchem welchen damit dazu dabei dafür davon also dann nun schon immer während zwischen gegen seit "
    "ob weil dort",
    "fr": "le la les un une des du de d l et ou mais si à au aux en dans sur par pour avec sans chez est sont était "
    "être suis es êtes sommes ai as a avez avons ont avoir fait faire peut peux puis pouvez pouvons je j me m mon ma "
    "mes tu te t ton ta tes il elle on nous notre nos vous votre vos ils elles leur leurs se s ce c cet cette ces ça "
    "cela que qu qui quoi quel quelle quels quelles quand où comment pourquoi combien ne n pas non oui plus très "
    "aussi y dois doit faut est-ce étais étaient étions fut furent sera seront serait avait avaient avais aura "
    "auront aurait eu fais font fit peuvent pouvait pourrait pourriez puisse veux veut voulez voudrais doivent devez "
    "devrait lui eux toi moi ceux celle celles celui tout tous toute toutes autre autres même quelque "
    "quelques lequel laquelle lesquels dont entre pendant depuis vers contre sous jusqu lorsque puisque parce donc "
    "car ni alors encore déjà toujours bien peu trop va vont aller",
    "es": "el la los las un una unos unas de del y o u pero si a al en con por para sin sobre es son era ser soy "
    "eres somos está están estoy estar he has ha hemos han haber hay puede puedo pueden puedes podemos yo me mi mis "
    "tú te tu tus él ella ello nos nuestro nuestra usted ustedes vosotros os su sus se lo le les este esta esto "
    "estos estas ese esa eso que qué quién cuál cuáles cuándo cuando dónde donde cómo como cuánto cuánta cuántos no "
    "sí muy también más ya tengo tiene tienen hace hacen fue fueron fui eran éramos será serán sería sido siendo "
    "sean estaba estaban estuvo estando estado había habían hubo habrá haya hayan habría tenía tenían tuvo tuvieron "
    "tendrá teniendo tener tenemos hizo hicieron hacer haciendo hago pudo pudieron podía podían podría podrían poder "
    "debe deben debo debería quiero quiere quisiera cuántas quiénes cuyo cuya cuyos cuyas aquel aquella aquellos "
    "esos esas ellos ellas mí ti vuestra vuestro nuestros nuestras otro otra otros otras mismo misma todo toda todos "
    "todas algo alguno alguna algunos algunas algún ningún ninguna nada cada durante entre hasta desde hacia según "
    "contra mediante porque aunque pues ni sino solo sólo tan tanto tal así entonces aún siempre va van voy ir ahí "
    "aquí allí adónde",
    "pt": "o a os as um uma uns umas de do da dos das e ou mas se ao à aos às em no na nos nas com por pelo pela "
    "para sem sobre é são era ser sou somos está estão estou estar foi há tem têm tenho ter posso pode podem podemos "
    "eu me meu minha meus minhas tu te você vocês ele ela nós nosso nossa seu sua seus suas lhe isto isso este esta "
    "esse essa que quê quem qual quais quando onde como porque porquê quanto quanta quantos não sim muito também "
    "mais já fazer foram eram será serão seria sido sendo estava estavam esteve havia houve haver tinha tinham teve "
    "tiveram terá fez fizeram faz fazem pôde podia poderia deve devem quero quer quantas cujo cuja aquele aquela "
    "aqueles esses essas estes estas nossos nossas outro outra outros outras mesmo mesma todo toda todos todas algo "
    "algum alguma alguns algumas nenhum nada cada durante entre até desde contra embora pois nem só tão tal assim "
    "então ainda sempre vai vão vou ir aqui ali",
    "it": "il lo la i gli le l un uno una di del della dei delle dello degli e ed o ma se a al alla ai alle in nel "
    "nella nei con per da dal dalla senza su sul sulla è sono era essere sei siamo siete ho hai ha abbiamo avete "
    "hanno avere posso può puoi possiamo potete possono io mi mio mia miei tu ti tuo tua lui lei noi ci nostro "
    "nostra voi vi vostro vostra loro si questo questa questi queste quello che chi cosa quale quali quando dove "
    "come perché quanto quanta quanti non sì molto anche più già fare fu furono erano sarà saranno sarebbe stato "
    "stata stati stava aveva avevano ebbe avrà avendo fece fanno fa poteva potrebbe deve devono voglio vuole quante "
    "cui quel quella quelli quelle nostri nostre altro altra altri altre stesso stessa tutto tutta tutti tutte "
    "qualche alcuni alcune nessuno niente ogni durante tra fra fino contro perciò né solo così allora ancora sempre "
    "va vanno vado qui lì ne",
    "nl": "de het een en of maar als van naar in op aan bij met voor door uit over onder zonder tot is zijn was "
    "waren ben bent wordt worden heb hebt heeft hebben had kan kunnen kun moet moeten zal zullen wil wilt ik me mij "
    "mijn wij we ons onze jij je jou jouw u uw hij hem zij ze haar hun dit dat deze die er hier daar wat wie welke "
    "welk wanneer waar hoe waarom hoeveel niet geen ja nee ook nog heel zeer om te doe doen werd werden geworden "
    "gehad zou zouden kon konden moest wilde mag mogen doet deed deden wiens waarin alle alles andere iets niets elk "
    "elke tijdens tussen sinds tegen omdat dus dan toch al alleen zo nu altijd",
    "pl": "i a o w we z ze na do od po za przez przy dla bez pod nad u oraz lub albo ale jeśli czy że to ten ta te "
    "tego tej tym jest są był była być jestem mam masz ma mamy macie mają mieć mogę może możesz można możemy ja mnie "
    "mi mój moja moje ty ci twój on ona ono my nas nam nasz wy was wam wasz pan pani państwo oni ich się sobie co "
    "kto jaki jaka jakie który która które kiedy gdzie jak dlaczego ile nie tak bardzo też także już było były "
    "będzie będą miał miała mieli mógł mogła mogli chcę chce jakiego jakiej którego której których tych wszystkie "
    "wszystko każdy inny inna inne podczas między przeciw ponieważ tylko tu tam swój swoja swoje nim niej nich",
    "uk": "і й та або але якщо що щоб як в у на з із зі до від по за про при для без під над через чи це цей ця ці "
    "того той є був була бути я мене мені мій моя моє ми нас нам наш ти тебе тобі твій ви вас вам ваш він вона воно "
    "вони їх його її хто який яка яке які коли де чому скільки не ні так дуже також ще вже можна можу можете може "
    "маєте було були буде будуть мав мала мали має мають міг могла могли чий чия чиє чиї якого якій яку яких цього "
    "цьому цій цих тих всі все весь вся всього кожен інший інша інші час після перед між біля проти тому бо адже "
    "лише тільки тут там себе свій своя своє свої йому їм куди звідки хіба",
    "ru": "и или но если что чтобы как в на с со из к ко от до по за о об при для без под над через ли это этот эта "
    "эти того тот есть был была быть я меня мне мой моя моё мы нас нам наш ты тебя тебе твой вы вас вам ваш он она "
    "оно они их его её кто какой какая какое какие когда где почему сколько не нет да так очень также ещё уже можно "
    "могу можете было были будет будут имел имела имеет имеют мог могла могли может чей чья чьё какого какую каких "
    "которого которой которые этого этому этой тех все всё весь вся всего каждый другой другая другие после перед "
    "между против потому поэтому лишь только тут там себя свой своя своё свои ему ей им куда откуда же бы",
    "tr": "ve veya ya ama ile için gibi kadar bir bu şu o ben sen biz siz onlar bana sana bize size benim senin "
    "bizim sizin var yok mı mi mu mü mıdır midir ne kim hangi nasıl nerede nereye neden niçin zaman kaç de da "
    "ki daha çok en her değil evet hayır olarak olan olur oldu misiniz mısınız musunuz müsünüz miyim mıyım",
    "sv": "en ett den det de och eller men om av till i på vid med för från utan under över är var vara har hade kan "
    "kunde ska skall vill måste jag mig min mitt mina du dig din vi oss vår ni er han hon dem sig som vad vem vilken "
    "vilka när hur varför inte ingen ja nej också mycket så att får blev blir haft skulle gör gjorde gjort vars "
    "detta denna dessa alla allt andra något några varje mellan mot eftersom bara nu alltid sitt sin sina hans "
    "hennes deras",
    "ar": "ما ماذا لماذا هل كيف متى أين كم من في على إلى عن مع هذا هذه ذلك تلك هو هي هم أنا نحن أنت أنتم لي لنا لك لكم "
    "لديكم لديك لدي عندكم عندي هناك هنا كان كانت يكون تكون قد لقد أن إن لا نعم لم لن ليس ليست أي أو ثم كل بعض غير "
    "بين بعد قبل عند حتى إذا لو التي الذي الذين فيها فيه منه منها به بها له لها يمكن يمكنني يمكنك أريد أستطيع تم "
    "عليه عليها و ف ب",
    "zh": "可以 能否 能不 不能 是否 如何 多少 多久 多长 多大 几个 为什 因为 没有 有没 还是 还有 需要 想要 一个 "
    "一下 以及 或者 如果 关于 知道 告诉 问一 时候 何时 为何 哪里 吗 呢 我 你 您 的 想 要 能 會 可 為什 沒有 有沒 "
    "還是 還有 關於 告訴 時候",
}
LITTLE: dict[str, frozenset[str]] = {lang: frozenset(words.split()) for lang, words in _WORDS.items()}

# Scripts that one language of ours uses, or that decide better than words do.
SCRIPTS: tuple[tuple[str, str], ...] = (
    ("ja", "\u3040-\u30ff"), ("ko", "\uac00-\ud7af"), ("zh", "\u3400-\u9fff"), ("he", "\u0590-\u05ff"),
    ("ar", "\u0600-\u06ff"), ("el", "\u0370-\u03ff"), ("hi", "\u0900-\u097f"),
)

# A pair of characters with one of these joins words rather than being one: any hiragana, and in Chinese some more.
HIRAGANA = "\u3040-\u309f"
JOINING_ZH = "的了吗呢吧啊么我你您他她它们是这那哪什怎请谁很就都也与或嗎麼們這請誰與"
