/**
 * Words that prompts are made of: short, common, lower case, so that most tokenizers have one
 * token for each of them with the space before it.
 *
 * @module
 */

/** The words, separated by blanks. */
const TEXT = `
able about above across act add after again age ago air all alone along also always among and any
area arm around art ask away baby back bad bag ball bank base be bear bed been before began being
below best better big bit black blood blue board boat body book born both box boy break bring brown
build burn bus but buy call came can car card care case cat catch cause cell change check child
city class clean clear close cloud coat cold color come cook cool corn cost could count cover cross
cry cup cut dance dark day dead deal dear death deep did die dinner do doctor does dog done door
double down draw dream dress drink drive drop dry during dust each ear early earth ease east eat
edge effect egg eight either else end enough even event ever every eye face fact fair fall family
far farm fast fat father fear feed feel feet fell felt few field fig fight fill film final find fine
fire first fish fit five fix flat floor flow fly follow food foot for force form found four free
fresh friend from front fruit full fun game garden gas gave get girl give glad glass go gold gone
good got grass gray great green grew ground group grow had hair half hall hand hang happy hard has
hat have he head hear heart heat heavy held help her here high hill him his hit hold hole home hope
horse hot hour house how huge human hundred ice idea if in inch into iron island it job join jump
just keep kept key kid kill kind king knew know lady lake land large last late laugh law lay lead
learn least leave left leg less let letter level lie life lift light like line list little live
long look lost lot loud love low luck lunch made main make man many map mark market may me mean meat
meet men middle might mile milk mind mine minute miss moment money month moon more morning most
mother mountain mouth move much music must my name near neck need never new next nice night nine no
none noon north nose not note nothing now number ocean of off office often oil old on once one only
open or order other our out over own page paint pair paper park part party pass past path pay people
person phone pick piece place plan plane plant play point poor possible post pound power press
pretty price print problem pull push put queen question quick quiet quite race radio rain ran reach
read ready real reason record red rest rich ride right ring rise river road rock roll room root rope
rose round row rule run safe said sail salt same sand sat save saw say school sea seat second see
seed seem sell send sense sent serve set seven several shall shape share sharp she ship shoe shop
short should show side sign silver simple sing sir sister sit six size skin sky sleep slow small
smell smile snow so soft soil some son song soon sort sound south space speak speed spell spend
spoke spring stand star start state stay step still stone stood stop store story street strong study
such sugar suit summer sun sure table tail take talk tall teach team tell ten test than that the
them then there these they thin thing think third this those though three through time tiny tire to
today together told tone too took tool top total touch toward town track trade train travel tree
trip true try turn two type under unit until up upon us use usual very view visit voice wait walk
wall want war warm was wash watch water wave way we wear week weight well went were west what wheel
when where which while white who whole why wide wife wild will win wind window winter wire wish with
woman wonder wood word work world would write wrong yard year yellow yes yet you young your zero`;

/** The words. */
export const WORDS: readonly string[] = TEXT.trim().split(/\s+/);
