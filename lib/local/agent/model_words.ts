/**
 * The words that the simulated model knows: each of them is one token.
 * Common English, and the vocabulary of the field.
 *
 * @module
 */

const TEXT = `
the of and to in is that it for was on are as with his they at be this from have or by one had not
but what all were when we there can an your which their said if do will each about how up out them
then she many some so these would other into has more her two like him see time could no make than
first been its who now people my made over did down only way find use may water long little very
after words called just where most know get through back much before go good new write our used me
man too any day same right look think also around another came come work three word must because
does part even place well such here take why things help put years different away again off went
old number great tell men say small every found still between name should home big give air line
set own under read last never us left end along while might next sound below saw something thought
both few those always looked show large often together asked house world going want school important
until form food keep children feet land side without boy once animals life enough took sometimes
four head above kind began almost live page got earth need far hand high year mother light parts
country father let night following picture being study second eyes soon times story boys since white
days ever paper hard near sentence better best across during today others however sure means knew
try told young miles sun ways thing whole hear example heard several change answer room sea against
top turned learn point city play toward five using himself usually money seen car morning given
order red door sure become body dog ship bring front fly group space true half plan step early
person hundred music watch color stop black rest family direct pose leave song measure product
fact street inch multiply nothing course stay wheel full force blue object decide surface deep moon
island foot system busy test record boat common gold possible plane stead dry wonder laugh thousand
ago ran check game shape yes hot miss brought heat snow bed perhaps fill east weight language among
power town fine certain unit fall lead cry dark machine note wait figure star box noun field ground
interest reach fast verb sing listen six table travel less ten simple vowel pattern slow center love
serve appear road map rain rule govern pull cold notice voice energy hunt probable brother egg ride
cell believe fraction forest sit race window store summer train sleep prove lone leg exercise wall
catch mount wish sky board joy winter written wild instrument kept glass grass cow job edge sign
visit past soft fun bright gas weather month million bear finish happy hope flower clothe strange
gone trade melody trip office receive row mouth exact symbol die least trouble shout except wrote
seed tone join suggest clean break lady yard rise bad blow oil blood touch grew cent mix team wire
cost lost brown wear garden equal sent choose fell fit flow fair bank collect save control decimal
ear else quite broke case middle kill son lake moment scale loud spring observe child straight
consonant nation dictionary milk speed method organ pay age section dress cloud surprise quiet stone
tiny climb cool design poor lot experiment bottom key iron single stick flat twenty skin smile
crease hole jump baby eight village meet root buy raise solve metal whether push seven paragraph
third shall held hair describe cook floor either result burn hill safe cat century consider type law
bit coast copy phrase silent tall sand soil roll temperature finger industry value fight lie beat
excite natural view sense capital chair danger fruit rich thick soldier process operate practice
separate difficult doctor please protect noon crop modern element hit student corner party supply
whose locate ring character insect caught period indicate radio spoke atom human history effect
electric expect bone rail imagine provide agree thus gentle woman captain guess necessary sharp wing
create neighbor wash bat rather crowd corn compare poem string bell depend meat rub tube famous
dollar stream fear sight thin triangle planet hurry chief colony clock mine tie enter major fresh
search send yellow gun allow print dead spot desert suit current lift rose arrive master track
parent shore division sheet substance favor connect post spend chord fat glad original share station
dad bread charge proper bar offer segment slave duck instant market degree populate chick dear enemy
reply drink occur support speech nature range steam motion path liquid log meant quotient teeth
shell neck oxygen sugar death pretty skill women season solution magnet silver thank branch match
suffix especially fig afraid huge sister steel discuss forward similar guide experience score apple
bought led pitch coat mass card band rope slip win dream evening condition feed tool total basic
smell valley nor double seat continue block chart hat sell success company subtract event particular
deal swim term opposite wife shoe shoulder spread arrange camp invent cotton born determine quart
nine truck noise level chance gather shop stretch throw shine property column molecule select wrong
gray repeat require broad prepare salt nose plural anger claim continent able ability accept access
account achieve across action active activity actual add address adjust advance advice affect agent
ahead aim alarm amount analysis ancient announce apply approach approve area argue army arrival art
article aspect assume attach attack attempt attend attract author average avoid aware balance base
basis battle beautiful beauty behind belong benefit beside beyond bill bind birth border borrow
bound brain brave brief broken budget build burden cache calm campaign cancel cap capacity capture
career careful carry cause ceiling celebrate central chain challenge channel chapter civil class
clear client climate close cluster code coffee collection combine comfort command comment commit
communicate compete complete complex component compute concept concern conduct confirm conflict
connection construct consume contact contain content context contract contribute convert core
correct council count couple courage courtyard cover craft credit crisis critical cross culture
curve customer cycle damage data debate decision declare decode decrease default defend define
delay deliver demand department deploy deposit derive detail detect develop device differ digital
dinner direction discover discussion disk display distance distribute document domain draft drive
dynamic eager ease economy edit education efficient effort elastic emerge employ empty enable engine
engineer enjoy ensure entire entry environment equation error escape essay establish estimate evaluate
evidence evolve examine excellent exchange execute exist expand expense expert explain explore export
express extend extra factor fail failure familiar feature feedback file filter final finance firm
flexible focus follow foreign forget formal format fortune forum frame framework free frequent
friend function fund future gain gap gate general generate generation global goal grade grand grant
graph grid growth guarantee habit handle happen harbor harvest health heart heavy height hidden
highlight hire honest host hotel hour idea ideal identify ignore image impact implement improve
include income increase index individual inference inform initial inner input inside install
instance instead integrate intend interval introduce invest invite involve issue item journey judge
kernel kingdom knowledge label labor latency launch layer leader leaf learning legal lesson letter
library limit link list literature load local logic loop loss machine mail maintain manage manner
manual margin mark mechanism media medical medium member memory mental mention message meter midnight
mirror mission mobile mode model modify monitor moral mountain move movement museum narrow native
network neural neutral node normal north notion novel nurse obtain obvious ocean odd open operation
opinion option orange ordinary organize origin output outside overall owner package pair panel
parallel parse passage patient pause peace peak perfect perform permit phase phone physical piece
pipeline pixel plain planet plant plate platform pleasure pocket policy pool popular port portion
position positive potential predict prefer prefill presence present preserve press pressure prevent
price pride primary principle prior private prize problem produce profession profit program progress
project promise prompt proof propose protocol proud public publish purpose quality quantity query
question queue quick quote random rapid rate ratio raw ray react reality reason recall recent
recognize reduce refer reflect reform region register regular relate release relevant rely remain
remember remind remote remove render rent repair replace report represent request research reserve
resource respond response restore retain return reveal review reward risk river robot role route
router routine royal sample satisfy scene schedule scheme science scope screen script secret secure
select seek sequence series serious server service session settle shadow shard shift signal
silence simulate site situation size slice smart smooth social software solid source south spatial
speak special specific spirit split stable staff stage standard start state static status steady
storage strategy strength strong structure struggle style subject submit sudden sufficient summary
super surround survey sustain switch target task teach technique technology template temple tension
tensor text theory thread threshold throughput ticket tight title token tomorrow topic tower
assistant hello user users lazy fox
traffic transfer transform transition transport treat tree trend trial trigger trust truth tune turn
typical ultimate uniform union unique universe update upper urban user usual utility valid variable
variety various vector vehicle version video virtual vision visual volume vote warm warning wave
weak wealth web weekend west wide wisdom wood worker worth yesterday yield zero zone
`;

/** The words, each once, in a fixed order. */
export function modelWords(): string[] {
  return [...new Set(TEXT.trim().split(/\s+/))];
}
