"""Words that matching knows: scripts, legal forms, nicknames, streets, free mail."""

from __future__ import annotations


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.split(":") for pair in text.split())


# Letters of other scripts as people spell them in Latin ones (after folding: lower case, no
# accents). Rough on purpose: two spellings need only come close.
LATIN = str.maketrans(
    _pairs(
        "а:a б:b в:v г:g д:d е:e ж:zh з:z и:i к:k л:l м:m н:n о:o п:p р:r с:s т:t у:u ф:f х:kh "
        "ц:ts ч:ch ш:sh щ:shch ы:y э:e ю:yu я:ya є:ye і:i ґ:g ј:j љ:lj њ:nj ћ:c ђ:dj џ:dz ѕ:dz "
        "α:a β:v γ:g δ:d ε:e ζ:z η:i θ:th ι:i κ:k λ:l μ:m ν:n ξ:x ο:o π:p ρ:r σ:s ς:s τ:t υ:y φ:f "
        "χ:ch ψ:ps ω:o "
        "ა:a ბ:b გ:g დ:d ე:e ვ:v ზ:z თ:t ი:i კ:k ლ:l მ:m ნ:n ო:o პ:p ჟ:zh რ:r ს:s ტ:t უ:u ფ:p ქ:k "
        "ღ:gh ყ:q შ:sh ჩ:ch ც:ts ძ:dz წ:ts ჭ:ch ხ:kh ჯ:j ჰ:h "
        "ա:a բ:b գ:g դ:d ե:e զ:z է:e ը:y թ:t ժ:zh ի:i լ:l խ:kh ծ:ts կ:k հ:h ձ:dz ղ:gh ճ:ch մ:m յ:y "
        "ն:n շ:sh ո:o չ:ch պ:p ջ:j ռ:r ս:s վ:v տ:t ր:r ց:ts ւ:v փ:p ք:k օ:o ֆ:f"
    )
    | {"ъ": "", "ь": ""}
)

# Legal forms, as one word each once dots are gone and all is folded.
LEGAL_FORMS = frozenset(
    "gmbh mbh ggmbh ag kg kgaa ohg gbr ug ev eg se ek inc llc ltd llp lp plc corp corporation "
    "company co limited incorporated lda ltda sa sas sasu sarl eurl sci snc scs srl srls spa sapa "
    "sro spol as asa ab hb aps oy oyj kk yk gk pty pte pvt pjsc ojsc cjsc sl slu sau scp cv bv nv "
    "vof bvba kft zrt nyrt bt rt doo dd ad ead eood ood jsc sia uab ou osauhing aktiengesellschaft "
    "gesellschaft sdn bhd tbk sti sirketi kabushiki kaisha yugen "
    "ооо оао зао пао ао ип тов тоо еоод оод еад ад доо ооd ае επε οε ικε".split()
)
# Those of more than one word, and those that stand right beside a name.
LEGAL_PHRASES = (
    "kabushiki kaisha", "yugen kaisha", "anonim sirketi", "limited sirketi", "spolka z oo",
    "sp z oo", "sp zoo", "spol s ro", "s ro", "public limited company", "limited liability company",
    "gesellschaft mit beschrankter haftung",
)  # fmt: skip
LEGAL_MARKS = (
    "株式会社", "有限会社", "合同会社", "(株)", "(有)", "株式會社", "有限责任公司", "有限責任公司",
    "股份有限公司", "有限公司", "股份公司", "集团公司", "주식회사", "유한회사", "(주)", "(유)",
    "شركة", "ش.م.م", "ش.م.ل", "בע\"מ", "בעמ",
)  # fmt: skip
# Say nothing about which company it is.
COMPANY_FILL = frozenset("the and und et y e i & der die das le la les el".split())

# People called one are often written as another. The first of a line stands for all.
_NICKNAMES = """
alexander alex sasha sascha sandy xander aleksandr aleksander alexandr oleksandr alessandro
alexandra sandra aleksandra alessandra lexi
andrew andy drew andreas andrei andrey andrzej andre andres andrea
anthony tony antonio anton antoine
barbara barb babs bärbel
benjamin ben benny benji
catherine kate katie kathy cathy cathryn katherine kathryn kathleen katharina
catherine katrin kathrin catarina katja ekaterina yekaterina katya
charles charlie chuck karl carl carlos carlo
christina christine chris tina kristina kristin christel
christopher chris christoph kris christian christophe
daniel dan danny daniil danilo
david dave davey davide
deborah deb debbie debra
dimitri dmitri dmitry dima dmitrii dimitrios
dorothy dot dottie dorothea
edward ed eddie ted ned eduard edoardo eduardo
elizabeth liz beth betty lizzie eliza elisabeth lisa elise bettina
elizabeth elsbeth lisbeth elisabetta elizaveta
eugene gene evgeny yevgeny evgenii eugen
evgenia yevgenia eugenia zhenya
francis frank frankie franz francesco francisco francois pancho paco
frederick fred freddie friedrich fritz frederik federico frederic
gabriel gabe gabriele
george jorge georg jürgen juergen jorg giorgio georges georgios yuri georgy
gerald gerry jerry gerhard gerd gerardo
gregory greg gregor grigori grigory
helen elena helena helene lena yelena olena
henry hank harry heinrich heinz henri enrique enrico
isabel isabelle isabella bella izzy
jacob jake jakob jacques jacopo jakub
james jim jimmy jamie
jennifer jen jenny
jessica jess jessie
joan joanna johanna joanne hanna
john jack johnny jon johannes johann hans jan juan jean giovanni ivan ioannis jens
jonathan jon
joseph joe joey josef jupp jose pepe giuseppe giuseppe josip
joshua josh
julia julie juliette yulia iuliia giulia
kenneth ken kenny
lawrence larry laurence lorenz lorenzo laurent
leonard leo lenny leonhard leonardo
louis lou louie ludwig luis luigi lutz
lucas luke lukas luca luc
margaret maggie meg peggy marge margarete margarethe grete greta gretel margarita marguerite rita
maria mary marie mariya mia maryam miriam
mark marc marcus markus marco marek
martha marta
martin marty martino
matthew matt matthias matteo mateo mathieu matias
maximilian max maxim maksim massimo
michael mike mick mickey michel miguel michele mikhail misha mihail mikael michal mykhailo
mohammed mohamed muhammad mohammad mehmet mohammad muhammed
natalia natalie natalya nataliya natasha
nicholas nick nicky nikolaus klaus claus nicolas nikolai nikolay nicola niklas nils mykola
olga olha
patricia pat patty trish tricia
patrick pat paddy patricio patrice
paul pablo paolo pavel pawel paolo
peter pete petra pedro pietro pierre piotr petr pyotr petros
philip phil phillip philipp felipe filippo philippe
raymond ray raimund ramon
rebecca becky becca
richard rick dick richie rich ricardo riccardo
robert bob rob bobby robbie bert roberto rupert
ronald ron ronnie
samuel sam sammy
samantha sam
sebastian seb basti sebastien sebastiano
sergey sergei serge sergio serhii sergii
sophia sofia sophie sofie sonja
stephen steve steven stefan stephan stephane esteban stefano stepan
susan sue susie suzanne susanne susanna
tatiana tatyana tanya tetiana tania
theodore ted theo theodor fyodor fedor
theresa terry tess teresa therese resi
thomas tom tommy tomas tommaso tomasz
timothy tim timmy
valentina valya
victoria vicky tori viktoria
vladimir vova volodymyr wladimir volodya
walter walt wally
william bill will billy willy liam wilhelm willi guillermo guglielmo guillaume wil
xavier javier
yaroslav jaroslav
zachary zach zack
"""
NICKNAMES: dict[str, frozenset[str]] = {}


def _learn_nicknames() -> None:
    found: dict[str, set[str]] = {}
    for line in _NICKNAMES.split("\n"):
        words = line.replace("ä", "a").replace("ü", "u").split()
        for word in words:
            found.setdefault(word, set()).add(words[0])
    NICKNAMES.update({word: frozenset(heads) for word, heads in found.items()})


_learn_nicknames()

# Parts of a street line, as one word stands for all its spellings.
STREET = _pairs(
    "street:st str:st strasse:st straat:st road:rd avenue:ave av:ave avenida:ave boulevard:blvd "
    "drive:dr lane:ln court:ct place:pl square:sq terrace:tce ter:tce crescent:cres cr:cres "
    "circuit:cct close:cl highway:hwy parade:pde parkway:pkwy apartment:apt unit:apt suite:ste "
    "floor:fl building:bldg north:n south:s east:e west:w rue:r via:v viale:v calle:c platz:pl "
    "weg:wg allee:al gasse:g ulica:ul rua:r"
)
STREET_ENDS = ("strasse", "straat", "str")

FREE_MAIL = frozenset(
    "gmail.com googlemail.com outlook.com hotmail.com hotmail.de hotmail.fr hotmail.co.uk "
    "live.com  msn.com yahoo.com yahoo.de yahoo.fr yahoo.co.uk yahoo.co.jp ymail.com aol.com "
    "aol.de icloud.com  me.com mac.com gmx.de gmx.net gmx.at gmx.ch gmx.com web.de t-online.de "
    "freenet.de arcor.de  online.de mail.de posteo.de mailbox.org proton.me protonmail.com "
    "pm.me tutanota.com zoho.com  mail.ru yandex.ru yandex.com bk.ru list.ru inbox.ru "
    "rambler.ru ukr.net qq.com 163.com 126.com  sina.com foxmail.com naver.com daum.net "
    "hanmail.net orange.fr wanadoo.fr free.fr laposte.net  sfr.fr libero.it virgilio.it "
    "tiscali.it alice.it hotmail.it terra.es telefonica.net hotmail.es  bluewin.ch hispeed.ch "
    "a1.net chello.at telenet.be skynet.be ziggo.nl kpnmail.nl planet.nl  xs4all.nl wp.pl "
    "onet.pl o2.pl interia.pl seznam.cz centrum.cz email.cz freemail.hu citromail.hu  abv.bg "
    "sapo.pt uol.com.br bol.com.br terra.com.br hotmail.com.br rediffmail.com comcast.net "
    "verizon.net att.net sbcglobal.net cox.net charter.net btinternet.com sky.com "
    "virginmedia.com talktalk.net bigpond.com "
    "optusnet.com.au "
    "shaw.ca rogers.com sympatico.ca".split()
)

# Boxes that a whole office reads, in several languages: they do not say who somebody is.
SHARED_BOXES = frozenset(
    "info infos information office buero bureau kontakt contact contacto contatti contato "
    "kontor mail email post postmaster hello hallo hi team sales vertrieb ventas vendite "
    "verkauf support help helpdesk service services admin administrator administration "
    "verwaltung sekretariat secretary reception empfang noreply no-reply donotreply none "
    "nobody test example unknown marketing press presse media jobs career careers bewerbung "
    "hr personal billing invoice invoices accounting buchhaltung rechnung orders order "
    "bestellung einkauf purchasing webmaster web kanzlei praxis zentrale general enquiries "
    "inquiries anfrage".split()
)
